import { z } from 'zod';
import { attemptSchema, instant, place, taskErrorSchema, taskOutputSchema } from '../record/schemas.ts';
import type { TaskResult } from '../workloads/task.ts';
import type { Execution } from './executor.ts';
import type { StartedEvent } from './work-order.ts';

const taskResultSchema: z.ZodType<TaskResult> = z.discriminatedUnion('state', [
  z.object({ state: z.literal('ok'), output: taskOutputSchema }),
  z.object({ state: z.literal('failed'), error: taskErrorSchema, retryable: z.boolean() }),
]);

/** What a worker sends as its task starts: parsed by the runner, which passes it on to the service. */
export const startedEventSchema: z.ZodType<StartedEvent> = z.object({ ...place, startedAtNs: instant });

/** What a worker sends when its task has run: parsed by the runner, in which other runs are. */
export const workReportSchema: z.ZodType<Execution> = z.object({
  ...place,
  startedAtNs: instant,
  endedAtNs: instant,
  cpuNs: z.number().nullable(),
  reused: z.boolean(),
  attempts: z.array(attemptSchema),
  result: taskResultSchema,
  processCpuMs: z.number().nullable(),
});
