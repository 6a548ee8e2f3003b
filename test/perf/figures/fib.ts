import type { RunningService } from '../../support/service.ts';
import { startBareProcesses } from '../bare-processes.ts';
import { ratio, type FigureGroup } from '../figure.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { withService } from '../with-service.ts';

/** CPU work that is worth sharing: what strategies gain by it, beside what two cores give at best. */
export const sharing: FigureGroup = {
  name: 'sharing',
  measure: (settings) =>
    withService(async (service) => {
      const bare = await startBareProcesses(36);
      try {
        const [single, threads] = [fib(service, 'single', 36), fib(service, 'threads', 36)];
        const isolates = fib(service, 'isolate-threads', 36);
        const inTurn = way('two processes in turn', () => bare.oneAfterAnother());
        const atOnce = way('two processes at once', () => bare.atOnce());
        // A round takes seconds, and its loops are compiled within the first of them.
        await interleave([single, threads, isolates, inTurn, atOnce], { ...settings, warmups: 1 });
        return [
          ratio('fib(36) ×10: isolate-threads / single', isolates, single, 0.7),
          ratio('fib(36) ×10: threads (cold) / single', threads, single, 0.8),
          ratio('  … two bare processes, at once / in turn', atOnce, inTurn, null),
        ];
      } finally {
        await bare.stop();
      }
    }),
};

/** The study's finding for CPU work: an interpreter of one's own costs less than a process of one's own. */
export const isolates: FigureGroup = {
  name: 'isolates',
  measure: (settings) =>
    withService(async (service) => {
      const threads = fib(service, 'isolate-threads', 30);
      const processes = fib(service, 'subprocess', 30);
      await interleave([threads, processes], settings);
      return [ratio('fib(30) ×10: isolate-threads / subprocess', threads, processes, 1)];
    }),
};

function fib(service: RunningService, strategy: string, n: number): Way<number> {
  return way(strategy, async () => {
    const run = await service.run(`/bench/fib?strategy=${strategy}&n=${n}&tasks=10`);
    return run.durationMs;
  });
}
