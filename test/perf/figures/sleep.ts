import { ratio, type FigureGroup } from '../figure.ts';
import { interleave, way } from '../rounds.ts';
import { withService } from '../with-service.ts';

/** What the engine adds to a hundred tasks that only wait. */
export const sleep: FigureGroup = {
  name: 'sleep',
  measure: (settings) =>
    withService(async (service) => {
      const run = way('fan-out', async () => {
        const { fanOutMs } = await service.run('/bench/sleep?strategy=async&ms=100&tasks=100');
        return fanOutMs ?? Number.NaN;
      });
      await interleave([run], settings);
      const asked = { name: 'asked for', samples: run.samples.map(() => 100) };
      return [ratio('sleep(100 ms) ×100: async fan-out / sleep', run, asked, 1.1)];
    }),
};
