import {
  comparePaired,
  enoughRounds,
  shuffled,
  verdictOf,
  type Verdict,
} from '../../../src/bench/statistics.ts';
import { comparisonSchema } from '../../../src/http/comparison/schema.ts';
import type { RunningService } from '../../support/service.ts';
import { ratio, spreadOf, type Figure, type FigureGroup, type Settings } from '../figure.ts';
import { interleave, way } from '../rounds.ts';
import { median } from '../statistics.ts';
import { TimedClient } from '../timed-client.ts';
import { withTracedService } from '../with-service.ts';

/** What comparing costs, how long it takes by default, and whether it is right on real runs. */
export const compare: FigureGroup = {
  name: 'compare',
  measure: (settings) =>
    withTracedService(async (service) => [
      await addedByComparing(service, settings),
      await byDefault(service, 'fib', { name: 'default /compare/fib (n=30)', atMost: 30_000 }),
      await byDefault(service, 'sleep?ms=20&strategies=single,async', {
        name: 'a clear case, /compare/sleep?ms=20&strategies=single,async',
        atMost: 12_500,
      }),
      await wronglySaid(service, settings, {
        name: 'real runs, the same under two names: said to differ',
        tasks: 10,
      }),
      await wronglySaid(service, settings, { name: 'real runs, one of 10 % more work: not said', tasks: 11 }),
    ]),
};

const strategies = ['single', 'async', 'threads', 'isolate-threads'];

/** A comparison beside the same runs, one request each. Both with tracing. */
async function addedByComparing({ url }: RunningService, settings: Settings): Promise<Figure> {
  const client = new TimedClient(url);
  const query = 'ms=20&tasks=10';
  const apart = way('runs', async () => {
    let wallMs = 0;
    for (const strategy of shuffled(strategies, settings.random)) {
      wallMs += (await client.run(`/bench/sleep?${query}&strategy=${strategy}`)).wallMs;
    }
    return wallMs;
  });
  const together = way('compared', async () => {
    const path = `/compare/sleep?${query}&strategies=${strategies.join(',')}&rounds=1&warmup=0`;
    return (await client.get(path)).wallMs;
  });
  await interleave([apart, together], { ...settings, warmups: Math.min(5, settings.warmups) });
  client.close();
  return ratio('a comparison of one round / its runs asked for one by one', together, apart, 1.05);
}

async function byDefault(
  { url }: RunningService,
  path: string,
  { name, atMost }: Pick<Figure, 'name' | 'atMost'>,
): Promise<Figure> {
  const client = new TimedClient(url);
  const { wallMs, text } = await client.get(`/compare/${path}`);
  client.close();
  const { comparison } = comparisonSchema.parse(JSON.parse(text));
  return {
    name,
    unit: 'ms',
    measured: wallMs,
    spread: spreadOf([wallMs]),
    atMost,
    note: `${comparison.rounds} rounds, stopped by ${comparison.stoppedBy}`,
    samples: { 'wall ms': [wallMs] },
  };
}

const repeats = 100;
/** Of a comparison: a budget in rounds, for the runs are all alike. */
const mostRounds = 40;

/**
 * A hundred comparisons of real runs: fib with 10 tasks against the same, or against as many as `tasks` says. Wrong is
 * to find a difference where there is none, or not to find one that there is.
 */
async function wronglySaid(
  { url }: RunningService,
  { random }: Settings,
  { name, tasks }: { readonly name: string; readonly tasks: number },
): Promise<Figure> {
  const client = new TimedClient(url);
  const run = async (count: number): Promise<number> =>
    (await client.run(`/bench/fib?strategy=single&n=25&tasks=${count}`)).run.durationMs;
  for (let warmup = 0; warmup < 50; warmup += 1) await run(10);
  const comparisons: { readonly verdict: Verdict; readonly rounds: number }[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const [baseline, candidate]: [number[], number[]] = [[], []];
    const ways = [
      { samples: baseline, count: 10 },
      { samples: candidate, count: tasks },
    ];
    do {
      for (const { samples, count } of shuffled(ways, random)) samples.push(await run(count));
    } while (
      baseline.length < mostRounds &&
      (baseline.length < 10 || !enoughRounds([comparePaired(baseline, candidate)], baseline.length))
    );
    const compared = comparePaired(baseline, candidate);
    comparisons.push({ verdict: verdictOf(compared, compared.pValue), rounds: baseline.length });
  }
  client.close();
  const right: Verdict = tasks > 10 ? 'slower' : 'no difference shown';
  const wrong = comparisons.filter(({ verdict }) => verdict !== right).length;
  const rounds = comparisons.map((one) => one.rounds);
  return {
    name,
    unit: 'of 100',
    measured: wrong,
    spread: spreadOf([wrong]),
    atMost: tasks > 10 ? 10 : 7,
    note: `after ${Math.min(...rounds)} … ${median(rounds)} … ${Math.max(...rounds)} rounds`,
    samples: { rounds },
  };
}
