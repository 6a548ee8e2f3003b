import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const noiseFile = 'recorded.json';

const seriesSchema = z.object({
  workload: z.string(),
  /** The run that was repeated. */
  query: z.string(),
  medianMs: z.number().positive(),
  /** Of each run's duration from the median, as a share of the median, in the order they were made. */
  deviations: z.array(z.number().gt(-1)).min(100),
});

const noiseSchema = z.object({
  recordedAt: z.iso.datetime(),
  machine: z.object({ system: z.string(), cores: z.number(), model: z.string(), node: z.string() }),
  loadAverage: z.number(),
  series: z.array(seriesSchema).min(1),
});

/** How the durations of like runs differed on a real machine. */
export type Noise = z.infer<typeof noiseSchema>;
export type NoiseSeries = z.infer<typeof seriesSchema>;

/** What `record.ts` recorded. */
export function recordedNoise(): Noise {
  return noiseSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, noiseFile), 'utf8')));
}
