import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { median } from '../statistics.ts';
import { TimedClient, type TimedRun } from '../timed-client.ts';
import { withTracedService } from '../with-service.ts';

/**
 * What the service adds to a run: the wall time at the client minus the run's own. With tracing, as users have it;
 * the spans of one run are at the collector before the next begins, as between a user's requests.
 */
export const overhead: FigureGroup = {
  name: 'overhead',
  measure: (settings) =>
    withTracedService(async (service, receiver) => {
      const client = new TimedClient(service.url);
      let emitted = 0;
      const sleeping = (tasks: number): Way<TimedRun> =>
        way(`${tasks} tasks`, async () => {
          const timed = await client.run(`/bench/sleep?strategy=async&ms=20&tasks=${tasks}`);
          emitted += tasks;
          await receiver.taskSpans(emitted);
          return timed;
        });
      const [few, many] = [sleeping(10), sleeping(1_000)];
      const nothing = way('healthz', async () => (await client.get('/healthz')).wallMs);
      await interleave([few, many, nothing], { ...settings, rounds: Math.max(20, settings.rounds) });
      client.close();
      return [added(few, 4), added(many, 15), answerAlone(nothing), unaccountedFor(few)];
    }),
};

function added({ name, samples }: Way<TimedRun>, atMost: number): Figure {
  const wallMs = samples.map((sample) => sample.wallMs);
  const durationMs = samples.map((sample) => sample.run.durationMs);
  const addedMs = samples.map((sample) => sample.wallMs - sample.run.durationMs);
  return {
    name: `added by the service, ${name}`,
    unit: 'ms',
    measured: median(addedMs),
    spread: spreadOf(addedMs),
    atMost,
    note: `to ${median(durationMs).toFixed(1)} ms`,
    samples: { 'wall ms': wallMs, 'run ms': durationMs },
  };
}

/** What of a run's duration no task on its critical path is told to have taken: it begins and ends with its tasks. */
function unaccountedFor({ name, samples }: Way<TimedRun>): Figure {
  const shares = samples.map(({ run }) => (100 * run.analysis.shares.other) / run.durationMs);
  return {
    name: `of a run's time, unaccounted for, ${name}`,
    unit: 'of 100',
    measured: median(shares),
    spread: spreadOf(shares),
    atMost: 5,
    note: null,
    samples: { 'of 100': shares },
  };
}

/** What client, loopback and HTTP server cost by themselves. */
function answerAlone({ samples }: Way<number>): Figure {
  return {
    name: '  … a request that starts no run (/healthz)',
    unit: 'ms',
    measured: median(samples),
    spread: spreadOf(samples),
    atMost: null,
    note: null,
    samples: { 'wall ms': samples },
  };
}
