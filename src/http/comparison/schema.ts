import { z } from 'zod';
import { ms, msOrNull, outcome, sharesSchema, warningSchema } from '../schemas.ts';

const pair = z.tuple([z.number(), z.number()]).nullable();
const params = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const verdict = z.enum(['faster', 'slower', 'no difference shown', 'baseline']);
const orNull = z.number().nullable();

const strategyResult = z.strictObject({
  strategy: z.string(),
  samplesMs: z.array(ms),
  fanOutSamplesMs: z.array(ms),
  medianMs: msOrNull,
  medianCiMs: pair,
  p25Ms: msOrNull,
  p75Ms: msOrNull,
  minMs: msOrNull,
  maxMs: msOrNull,
  outliers: z.array(z.int()),
  speedup: msOrNull,
  speedupCi: pair,
  pValue: orNull,
  effectSize: orNull,
  verdict,
  shares: sharesSchema.nullable(),
  analysis: z
    .strictObject({
      parallelism: msOrNull,
      limitMs: msOrNull,
      limitedBy: z.enum(['slowest_answer', 'slowest_task', 'cores', 'unknown']),
      efficiency: msOrNull,
    })
    .nullable(),
  costs: z.strictObject({ cpuMs: msOrNull, threads: z.int(), processes: z.int(), isolates: z.int() }),
  disturbances: z.array(z.strictObject({ round: z.int(), code: z.string(), message: z.string() })),
  failures: z.array(z.strictObject({ round: z.int(), outcome, runId: z.string() })),
  traces: z.array(z.string()),
});

export const comparisonSchema = z.strictObject({
  comparison: z.strictObject({
    id: z.string(),
    workload: z.string(),
    baseline: z.string(),
    rounds: z.int().positive(),
    warmup: z.int().nonnegative(),
    seed: z.int().nonnegative(),
    stoppedBy: z.enum(['rounds', 'precision', 'budget', 'max_calls', 'failures']),
    startedAt: z.iso.datetime(),
    durationMs: ms,
  }),
  machine: z.strictObject({
    cpu: z.string(),
    cores: z.int().positive(),
    memoryBytes: z.int().positive(),
    platform: z.string(),
    architecture: z.string(),
    load: z.strictObject({
      before: z.strictObject({ loadAverage1m: z.number() }),
      after: z.strictObject({ loadAverage1m: z.number() }),
    }),
    target: z.enum(['emulator', 'aws']),
    emulator: z.strictObject({ latencyMs: ms, seed: z.int(), faults: z.int() }).nullable(),
    runtimes: z.record(z.string(), z.string()),
    versions: z.record(z.string(), z.string()),
  }),
  order: z.array(z.strictObject({ round: z.int().positive(), strategy: z.string(), cell: z.int() })),
  cells: z.array(
    z.strictObject({
      params,
      results: z.array(strategyResult),
      recommendation: z.strictObject({ strategy: z.string().nullable(), reasons: z.array(z.string()) }),
    }),
  ),
  crossovers: z.array(
    z.strictObject({
      strategy: z.string(),
      axis: z.string(),
      at: params,
      fasterFrom: orNull,
      fasterUpTo: orNull,
      verdicts: z.array(z.strictObject({ value: z.number(), verdict })),
    }),
  ),
  warnings: z.array(warningSchema),
  trace: z.strictObject({ traceId: z.string(), spanId: z.string(), url: z.string() }).nullable(),
});
