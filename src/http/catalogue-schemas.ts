import { z } from 'zod';

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
