import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { startService, type RunningService } from '../support/service.ts';

/** CPU-bound runs beside each other: all are done, and each says that it was disturbed. */
let service: RunningService;
beforeAll(async () => {
  service = await startService({ MAX_RUNS_IN_FLIGHT: '8' });
});
afterAll(() => service.stop());

describe.each(strategies.map(({ declaration }) => declaration.name))('CPU-bound runs in %s', (strategy) => {
  const path = `/bench/fib?strategy=${strategy}&tasks=4`;
  const holdsMainThread = ['single', 'async', 'isolate'].includes(strategy);

  it('say nothing of others when alone', async () => {
    const { runner, warnings } = await service.run(`${path}&n=20`);
    expect([runner.runsInFlight, disturbed(warnings)]).toEqual([0, false]);
  });

  // The first in the runner that all share, and so are those for which none of the four others is free.
  it('are all done, each in a runner of its own while there is one', async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => service.run(`${path}&n=30`)));
    expect(runs.map(({ outcome }) => outcome)).toEqual(runs.map(() => 'ok'));
    expect(new Set(runs.map(({ runner }) => runner.pid)).size).toBe(holdsMainThread ? 4 : 5);
  });

  it('share a runner where their workers are kept warm, and with what does not compute', async () => {
    if (holdsMainThread) return;
    const pids = (
      await Promise.all([
        service.run(`${path}&n=30&pool=warm`),
        service.run(`${path}&n=30&pool=warm`),
        service.run(`/bench/sleep?strategy=${strategy}&tasks=1&ms=1`),
      ])
    ).map(({ runner }) => runner.pid);
    expect(new Set(pids).size).toBe(1);
  });

  // Now there are four runners for them, so that none waits for its start while another is done.
  it('say how many were beside them', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => service.run(`${path}&n=34`)));
    for (const { runner, warnings } of runs) {
      expect([runner.runsInFlight > 0, runner.runsInFlight < 4]).toEqual([true, true]);
      expect(disturbed(warnings)).toBe(true);
    }
  });
});

function disturbed(warnings: readonly { readonly code: string }[]): boolean {
  return warnings.some(({ code }) => code === 'runs_in_flight');
}
