import { z } from 'zod';
import { taskErrorCodes, type RunnerLoad, type TaskRecord } from './record.ts';

/** Nanoseconds since the run's origin. */
export const instant = z.int();
const intervalSchema = z.object({ fromNs: instant, toNs: instant }).nullable();

export const taskErrorSchema = z.object({
  code: z.enum(taskErrorCodes),
  message: z.string(),
  upstreamCode: z.string().nullable(),
});

export const taskOutputSchema = z.object({
  value: z.union([z.number(), z.string(), z.boolean()]).nullable(),
  body: z
    .object({
      bytes: z.int(),
      md5: z.string(),
      expectedBytes: z.int().nullable(),
      expectedMd5: z.string().nullable(),
    })
    .nullable(),
  text: z.string().nullable(),
  llm: z
    .object({
      timeToFirstTokenMs: z.number().nullable(),
      timePerOutputTokenMs: z.number().nullable(),
      inputTokens: z.int().nullable(),
      outputTokens: z.int().nullable(),
      stopReason: z.string().nullable(),
    })
    .nullable(),
});

export const attemptSchema = z.object({
  method: z.string(),
  url: z.string(),
  startedAtNs: instant,
  endedAtNs: instant.nullable(),
  statusCode: z.int().nullable(),
  complete: z.boolean(),
  reusedSocket: z.boolean(),
  serverMs: z.number().nullable(),
  phases: z.object({
    dns: intervalSchema,
    connect: intervalSchema,
    tls: intervalSchema,
    ttfb: intervalSchema,
    download: intervalSchema,
  }),
});

export const place = { pid: z.int(), threadId: z.int().nullable() };
const common = {
  index: z.int(),
  cpuNs: z.number().nullable(),
  reused: z.boolean().nullable(),
  attempts: z.array(attemptSchema).nullable(),
  labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
};

const known = {
  ...common,
  ...place,
  queuedAtNs: instant,
  admittedAtNs: instant,
  startedAtNs: instant,
  endedAtNs: instant,
  returnedAtNs: instant,
};

const partlyKnown = {
  ...common,
  pid: z.int().nullable(),
  threadId: z.int().nullable(),
  queuedAtNs: instant.nullable(),
  admittedAtNs: instant.nullable(),
  startedAtNs: instant.nullable(),
  endedAtNs: instant.nullable(),
  returnedAtNs: instant.nullable(),
};

/** A task's record, as a runner sends it. */
export const taskRecordSchema: z.ZodType<TaskRecord> = z.discriminatedUnion('state', [
  z.object({ state: z.literal('ok'), ...known, output: taskOutputSchema }),
  z.object({ state: z.literal('failed'), ...partlyKnown, error: taskErrorSchema }),
  z.object({ state: z.literal('cancelled'), ...partlyKnown }),
]);

/** How a runner fared, as it says at a run's end. */
export const runnerLoadSchema: z.ZodType<RunnerLoad> = z.object({
  eventLoopDelayMaxMs: z.number().nullable(),
  eventLoopUtilization: z.number().nullable(),
  cpuMs: z.number().nullable(),
});
