import type { RunningService } from '../../support/service.ts';
import { ratio, type FigureGroup } from '../figure.ts';
import { interleave, way } from '../rounds.ts';
import { availableParallelism } from 'node:os';
import { withService } from '../with-service.ts';

type Run = Awaited<ReturnType<RunningService['run']>>;

/** What is left to lose when workers and connections are kept. */
export const warm: FigureGroup = {
  name: 'warm',
  measure: (settings) =>
    withService(async (service) => {
      const s3 = way<Run>('s3', () =>
        service.run('/bench/s3?strategy=presigned-async&client=undici&pool=warm'),
      );
      const threads = way<Run>('threads', () => service.run('/bench/fib?strategy=threads&n=36&pool=warm'));
      await interleave([s3], settings);
      await interleave([threads], { ...settings, warmups: 2 });
      const durations = ({ samples }: typeof s3): number[] => samples.map(({ durationMs }) => durationMs);
      const answers = s3.samples.map(({ analysis }) => analysis.limitMs ?? Number.NaN);
      return [
        ratio(
          's3 ×10 presigned-async, undici, warm / slowest answer',
          { name: 'run', samples: durations(s3) },
          { name: 'slowest answer', samples: answers },
          1.2,
        ),
        ratio(
          'fib(36) ×10 threads, warm / tasks’ CPU times over the cores',
          { name: 'run', samples: durations(threads) },
          { name: 'share', samples: threads.samples.map(shareMs) },
          1.05,
        ),
      ];
    }),
};

/** The work of a run, shared evenly: by CPU time, since run times grow while tasks wait for a core. */
function shareMs({ tasks }: Run): number {
  return tasks.reduce((sum, { cpuMs }) => sum + Number(cpuMs), 0) / availableParallelism();
}
