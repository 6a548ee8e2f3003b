import { z } from 'zod';
import { errorTable } from '../errors.ts';
import { outcomes, taskErrorCodes } from '../record/record.ts';

/** What the service answers, as schemas: OpenAPI is made from them, and tests hold answers against them. */

const ms = z.number().nonnegative();
const msOrNull = ms.nullable();

const parameterProblem = z.strictObject({
  field: z.string(),
  value: z.string().nullable(),
  reason: z.string(),
  allowed: z.union([z.string(), z.array(z.string())]),
});

const problemFields = {
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(errorTable)),
};

export const problemSchema = z.strictObject({
  ...problemFields,
  errors: z.array(parameterProblem).optional(),
});

const taskSchema = z.strictObject({
  index: z.int().nonnegative(),
  state: z.enum(['ok', 'failed', 'cancelled']),
  queueMs: msOrNull,
  prepareMs: msOrNull,
  startMs: msOrNull,
  endMs: msOrNull,
  handBackMs: msOrNull,
  cpuMs: msOrNull,
  pid: z.int().nullable(),
  threadId: z.int().nullable(),
  reused: z.boolean().nullable(),
  attempts: z.int().nonnegative().nullable(),
  bytes: z.int().nonnegative().nullable(),
  llm: z
    .strictObject({
      timeToFirstTokenMs: msOrNull,
      timePerOutputTokenMs: msOrNull,
      inputTokens: z.int().nullable(),
      outputTokens: z.int().nullable(),
      stopReason: z.string().nullable(),
    })
    .nullable(),
  /** With answers=true. */
  answer: z.string().nullable().optional(),
  value: z.union([z.number(), z.string(), z.boolean()]).nullable(),
  error: z
    .strictObject({ code: z.enum(taskErrorCodes), message: z.string(), upstreamCode: z.string().nullable() })
    .nullable(),
  phases: z.strictObject({
    dnsMs: msOrNull,
    connectMs: msOrNull,
    tlsMs: msOrNull,
    ttfbMs: msOrNull,
    downloadMs: msOrNull,
  }),
});

/** Milliseconds of the critical path. */
const sharesSchema = z.strictObject({
  signing: ms,
  queue: ms,
  prepare: ms,
  run: ms,
  contention: ms,
  handBack: ms,
  other: ms,
});

const warningSchema = z.strictObject({ code: z.string(), message: z.string() });
const access = z.enum(['sdk', 'presigned']).nullable();
const outcome = z.enum(outcomes);

const runFields = {
  run: z.strictObject({
    id: z.string(),
    workload: z.string(),
    strategy: z.string(),
    access,
    tasks: z.int().positive(),
    concurrency: z.int().positive(),
    pool: z.enum(['cold', 'warm']),
    client: z.enum(['got', 'undici']).nullable(),
    join: z.enum(['all', 'race', 'first-valid', 'hedged']),
    hedgeAfterMs: z.int().nullable(),
    validate: z.enum(['nonempty', 'json', 'sql']).nullable(),
    attempts: z.int().positive(),
    detail: z.enum(['tasks', 'phases']),
    timeoutMs: z.int().positive(),
    runtime: z.strictObject({ name: z.string(), version: z.string() }),
    target: z.enum(['emulator', 'aws']),
    params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  }),
  outcome,
  durationMs: ms,
  fanOutMs: msOrNull,
  signing: z.strictObject({ durationMs: ms }).nullable(),
  tasks: z.array(taskSchema),
  callsSpent: z.int().nullable(),
  analysis: z.strictObject({
    parallelism: msOrNull,
    limitMs: msOrNull,
    limitedBy: z.enum(['slowest_answer', 'slowest_task', 'cores', 'unknown']),
    efficiency: msOrNull,
    shares: sharesSchema,
  }),
  isolate: z
    .strictObject({
      bridged: z.boolean(),
      resumesOn: z.literal('isolated-vm thread').nullable(),
      startObservedBy: z.literal('host'),
    })
    .nullable(),
  runner: z.strictObject({
    pid: z.int().nullable(),
    eventLoopDelayMaxMs: msOrNull,
    eventLoopUtilization: msOrNull,
    cpuMs: msOrNull,
    runsInFlight: z.int().nonnegative(),
  }),
  warnings: z.array(warningSchema),
  trace: z.strictObject({ traceId: z.string(), spanId: z.string(), sampled: z.boolean(), url: z.string() }),
};

export const runSchema = z.strictObject(runFields);

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

/** A run that failed: a problem, with all of a run's fields beside it. */
export const failedRunSchema = z.strictObject({ ...problemFields, ...runFields });

/** A run that is kept, whatever became of it. */
export const keptRunSchema = z.union([runSchema, failedRunSchema]);

export const runListSchema = z.strictObject({
  runs: z.array(
    z.strictObject({
      id: z.string(),
      workload: z.string(),
      strategy: z.string(),
      tasks: z.int(),
      outcome,
      durationMs: ms,
      startedAt: z.iso.datetime(),
      traceId: z.string(),
    }),
  ),
});

/** OTLP's own schema is its business. */
export const traceSchema = z.looseObject({ resourceSpans: z.array(z.looseObject({})) });

const parameters = z.record(
  z.string(),
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('integer'),
      summary: z.string(),
      minimum: z.int(),
      maximum: z.int(),
      default: z.int().nullable(),
    }),
    z.strictObject({
      kind: z.literal('choice'),
      summary: z.string(),
      values: z.array(z.string()),
      default: z.string(),
    }),
    z.strictObject({ kind: z.literal('boolean'), summary: z.string(), default: z.boolean() }),
  ]),
);

const matrixCell = z.strictObject({
  strategy: z.string(),
  possible: z.boolean(),
  reason: z.string().nullable(),
  bridged: z.boolean(),
  resumesOn: z.literal('isolated-vm thread').nullable(),
  pools: z.record(z.enum(['cold', 'warm']), z.string().nullable()),
  joins: z.record(z.enum(['all', 'race', 'first-valid', 'hedged']), z.string().nullable()),
  runtimes: z.record(z.string(), z.string().nullable()),
});

const runtimes = z.array(
  z.strictObject({
    name: z.string(),
    version: z.string(),
    default: z.boolean(),
    isolates: z.strictObject({ possible: z.boolean(), reason: z.string().nullable() }),
  }),
);

export const workloadsSchema = z.strictObject({
  workloads: z.array(
    z.strictObject({
      name: z.string(),
      summary: z.string(),
      work: z.enum(['cpu', 'wait', 'io']),
      missing: z.string().nullable(),
      parameters,
      sharedSettings: z.array(z.strictObject({ setting: z.string(), value: z.string() })),
      strategies: z.array(matrixCell),
    }),
  ),
  runtimes,
});

export const strategiesSchema = z.strictObject({
  strategies: z.array(
    z.strictObject({
      name: z.string(),
      summary: z.string(),
      study: z.string(),
      runsOn: z.enum(['main-thread', 'isolate-threads', 'worker-thread', 'child-process']),
      isolate: z.boolean(),
      tasksAtOnce: z.enum(['one', 'concurrency']),
      awaits: z.boolean(),
      workloads: z.record(z.string(), z.array(matrixCell)),
    }),
  ),
  runtimes,
});

export const healthSchema = z.strictObject({ status: z.literal('ok'), version: z.string() });

export const readinessSchema = z.strictObject({
  ready: z.boolean(),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), problem: z.string().nullable() })),
});

/** Prometheus's text format 0.0.4. */
export const metricsSchema = z.string();
