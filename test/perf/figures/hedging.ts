import type { RunningService } from '../../support/service.ts';
import type { Figure, FigureGroup } from '../figure.ts';
import { spreadOf } from '../figure.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { percentile } from '../statistics.ts';
import { withService } from '../with-service.ts';

/** Enough for a 99th percentile that some tens of stragglers decide. */
const rounds = 400;

/** Above every answer that does not straggle: 24 to 36 ms, and what client and signing take. */
const hedgeAfterMs = 50;

type Run = Awaited<ReturnType<RunningService['run']>>;

/** What a second call is worth when one answer in twenty takes ten times as long. */
export const hedging: FigureGroup = {
  name: 'hedging',
  measure: (settings) =>
    withService(
      async (service) => {
        const alone = runs(service, 'one call', 'tasks=1');
        const hedged = runs(service, 'hedged', `tasks=3&join=hedged&hedgeAfterMs=${hedgeAfterMs}`);
        await interleave([alone, hedged], { ...settings, rounds });
        const [aloneMs, hedgedMs] = [fanOutsMs(alone), fanOutsMs(hedged)];
        const calls = hedged.samples.map(({ callsSpent }) => callsSpent ?? Number.NaN);
        return [
          {
            name: 's3, 5 % ten-fold stragglers: p99 hedged / one call',
            unit: '×',
            measured: percentile(hedgedMs, 99) / percentile(aloneMs, 99),
            spread: spreadOf(hedgedMs.map((ms) => ms / percentile(aloneMs, 99))),
            atMost: 0.5,
            note: `${percentile(hedgedMs, 99).toFixed(1)} of ${percentile(aloneMs, 99).toFixed(1)} ms, ${rounds} runs each`,
            samples: { 'hedged ms': hedgedMs, 'one call ms': aloneMs },
          },
          {
            name: '  … calls it spent, for one that is needed',
            unit: '×',
            measured: calls.reduce((sum, spent) => sum + spent, 0) / calls.length,
            spread: spreadOf(calls),
            atMost: 1.1,
            note: `another after ${hedgeAfterMs} ms without an answer`,
            samples: { calls },
          },
        ] satisfies Figure[];
      },
      { EMULATOR_FAULTS: 'slow@photos/*:5%' },
    ),
};

function runs(service: RunningService, name: string, query: string): Way<Run> {
  return way(name, () => service.run(`/bench/s3?strategy=presigned-async&${query}`));
}

function fanOutsMs({ samples }: Way<Run>): number[] {
  return samples.map(({ fanOutMs }) => fanOutMs ?? Number.NaN);
}
