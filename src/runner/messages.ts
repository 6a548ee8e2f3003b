import { z } from 'zod';
import type { TargetSettings } from '../aws/target.ts';
import type { RunPlan } from '../record/plan.ts';
import { runnerLoadSchema, taskRecordSchema } from '../record/schemas.ts';

/** Why a run is given up: its time is over, nobody waits for it any more, or the service ends. */
export type CancelReason = 'run_timeout' | 'cancelled' | 'shutting_down';

/** A run for a runner to execute. */
export interface RunOrder {
  readonly runId: string;
  readonly plan: RunPlan;
  readonly target: TargetSettings;
  /** So many workers and isolates may the runner have alive at once, those that lie idle counted. */
  readonly maxWorkers: number;
  /** The origin of the run's clock (see `ClockAnchor`). */
  readonly originNs: string;
  /** `traceparent` values by task index; `null` where the run is not traced. */
  readonly traceparents: readonly string[] | null;
}

/** Everything the service says to a runner, in batches. The runner trusts it: the service started it. */
export type ToRunner =
  | { readonly type: 'run'; readonly order: RunOrder }
  | { readonly type: 'cancel'; readonly runId: string; readonly reason: CancelReason }
  /** So many workers and isolates may lie idle; answered with `kept` when no others are left. */
  | { readonly type: 'keep'; readonly atMost: number };

const instant = z.int();
const runId = z.string();

/** A task's code is about to run, at about this instant; `ended` says it exactly. */
const startedTask = z.object({
  index: z.int(),
  queuedAtNs: instant,
  admittedAtNs: instant,
  startedAtNs: instant,
  pid: z.int(),
  threadId: z.int().nullable(),
});

const warning = z.object({ code: z.string(), message: z.string() });

/** The run has started: told as signing begins, and again as the fan-out begins. */
const begunRun = z.object({
  startedAtNs: instant,
  signing: z.object({ fromNs: instant, toNs: instant }).nullable(),
  fanOutStartedAtNs: instant.nullable(),
  warnings: z.array(warning).readonly(),
  bridged: z.boolean(),
});

const kept = z.int().nonnegative();

/** The join is done and nothing of the run is left alive, but `kept` workers and isolates that lie idle, others' too. */
const finishedRun = z.object({ endedAtNs: instant, load: runnerLoadSchema, kept });

/** Everything a runner says, in the order in which it happens. The service parses each of it. */
const fromRunner = z.discriminatedUnion('type', [
  /** `version` is that of its runtime. */
  z.object({ type: z.literal('ready'), version: z.string() }),
  /** What happened in a run since its last news. `finished` is the last of them. */
  z.object({
    type: z.literal('news'),
    runId,
    begun: begunRun.nullable(),
    started: z.array(startedTask),
    ended: z.array(taskRecordSchema),
    finished: finishedRun.nullable(),
  }),
  /** Some that lay idle were ended: so many are left. */
  z.object({ type: z.literal('kept'), kept }),
  /** The run never came to its tasks. */
  z.object({
    type: z.literal('refused'),
    runId,
    code: z.enum(['no_objects', 'upstream_unavailable', 'runner_crashed']),
    message: z.string(),
    upstreamCode: z.string().nullable(),
    startedAtNs: instant,
    endedAtNs: instant,
  }),
]);

/** One message: all that was said within one turn. */
export const batchFromRunner = z.array(fromRunner);

export type FromRunner = z.infer<typeof fromRunner>;
export type StartedTask = z.infer<typeof startedTask>;
export type BegunRun = z.infer<typeof begunRun>;
export type FinishedRun = z.infer<typeof finishedRun>;
