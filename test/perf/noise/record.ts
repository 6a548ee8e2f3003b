import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from '../../../build.ts';
import { presentCondition, thisMachine } from '../machine.ts';
import { median } from '../statistics.ts';
import { withService } from '../with-service.ts';
import { noiseFile, type Noise } from './noise.ts';

/**
 * Records by how much the durations of like runs differ on this machine, into recorded.json, for the figures that show
 * whether comparisons can be trusted: 400 runs each, one right after another, so that what lasts from run to run is
 * in it. Takes about two minutes; other work on the machine becomes part of what is recorded.
 *
 *     node test/perf/noise/record.ts
 */
const queries = {
  fib: 'fib?strategy=isolate-threads&n=30&tasks=10',
  sleep: 'sleep?strategy=async&ms=20&tasks=10',
  s3: 's3?strategy=presigned-async&tasks=10',
};
const kept = 400;
const warmups = 10;

await build();
const { system, cores, model, versions } = thisMachine();
const { loadAverage } = presentCondition();
const series = await withService(async (service) => {
  const recorded: Noise['series'][number][] = [];
  for (const [workload, query] of Object.entries(queries)) {
    const durationsMs: number[] = [];
    for (let run = 0; run < warmups + kept; run += 1) {
      const { durationMs } = await service.run(`/bench/${query}`);
      if (run >= warmups) durationsMs.push(durationMs);
    }
    const medianMs = median(durationsMs);
    const deviations = durationsMs.map((ms) => rounded(ms / medianMs - 1));
    recorded.push({ workload, query, medianMs: rounded(medianMs), deviations });
  }
  return recorded;
});
const machine = { system, cores, model, node: versions['node'] ?? 'unknown' };
const noise: Noise = { recordedAt: new Date().toISOString(), machine, loadAverage, series };
await writeFile(join(import.meta.dirname, noiseFile), `${JSON.stringify(noise)}\n`);

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
