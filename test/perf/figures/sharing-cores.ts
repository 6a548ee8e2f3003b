import type { RunningService } from '../../support/service.ts';
import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { median } from '../statistics.ts';
import { withService } from '../with-service.ts';

const strategies = ['single', 'threads', 'subprocess', 'isolate-threads'];

/**
 * How CPU-bound runs share the cores: two equal ones, begun together, should end together; and a small one beside a
 * large one should get its half, where Linux's scheduler groups threads by session (`sched_autogroup`): twice the time, and
 * that of code which is not compiled yet.
 */
export const sharingCores: FigureGroup = {
  name: 'sharing-cores',
  measure: ({ rounds }) =>
    withService(async (service) => {
      const figures: Figure[] = [];
      for (const strategy of strategies) {
        const [equal, beside]: [number[], number[]] = [[], []];
        for (let round = 0; round < Math.min(5, rounds); round += 1) {
          equal.push(await slowerOverFaster(service, strategy));
          beside.push(await besideALarge(service, strategy));
        }
        figures.push(
          times(`two equal runs of fib in ${strategy} at once, slower / faster`, equal, null),
          times(`  … a small one beside a large one / alone`, beside, 3),
        );
      }
      return figures;
    }),
};

async function slowerOverFaster(service: RunningService, strategy: string): Promise<number> {
  const equal = `/bench/fib?strategy=${strategy}&n=32&tasks=4`;
  const both = await Promise.all([service.run(equal), service.run(equal)]);
  const [faster = 0, slower = 0] = both.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b);
  return slower / faster;
}

async function besideALarge(service: RunningService, strategy: string): Promise<number> {
  const small = `/bench/fib?strategy=${strategy}&n=30&tasks=2`;
  const alone = await service.run(small);
  const large = service.run(`/bench/fib?strategy=${strategy}&n=32&tasks=40`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const beside = await service.run(small);
  await large;
  return beside.durationMs / alone.durationMs;
}

function times(name: string, samples: readonly number[], atMost: number | null): Figure {
  return {
    name,
    unit: '×',
    measured: median(samples),
    spread: spreadOf(samples),
    atMost,
    note: null,
    samples: { '×': samples },
  };
}
