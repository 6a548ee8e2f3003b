import { z } from 'zod';
import { errorTable } from '../errors.ts';
import { outcomes, taskErrorCodes } from '../record/record.ts';

/**
 * What the service answers, as schemas: OpenAPI is made from them, and tests hold answers against them. Comparisons and
 * the catalogue have theirs in files of their own.
 */

export const ms = z.number().nonnegative();
export const msOrNull = ms.nullable();

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
export const sharesSchema = z.strictObject({
  signing: ms,
  queue: ms,
  prepare: ms,
  run: ms,
  contention: ms,
  handBack: ms,
  other: ms,
});

export const warningSchema = z.strictObject({ code: z.string(), message: z.string() });
const access = z.enum(['sdk', 'presigned']).nullable();
export const outcome = z.enum(outcomes);

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

export const healthSchema = z.strictObject({ status: z.literal('ok'), version: z.string() });

export const readinessSchema = z.strictObject({
  ready: z.boolean(),
  checks: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), problem: z.string().nullable() })),
});

/** Prometheus's text format 0.0.4. */
export const metricsSchema = z.string();
