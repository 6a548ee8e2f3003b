import type { ClientSettings } from '../aws/client.ts';
import type { TargetSettings } from '../aws/target.ts';
import type { Labels } from '../record/record.ts';
import type { RunPlan, Warning } from '../record/plan.ts';

/** What the tasks of a run are given, by index. */
export interface PreparedInputs {
  /** Empty where signing makes them. */
  readonly inputs: readonly unknown[];
  /** What each task is about, for its span; may be left out. */
  readonly labels?: readonly Labels[];
  readonly warnings: readonly Warning[];
  /** Signs one request a task and returns the inputs; `null` where nothing is signed. The run starts here. */
  readonly sign: (() => Promise<readonly unknown[]>) | null;
}

/**
 * Finds out what the tasks are about (a listing, say), before the run starts.
 * @throws BenchError `no_objects` when there is nothing to do; anything else counts as `upstream_unavailable`.
 */
export type PrepareInputs = (
  plan: RunPlan,
  target: TargetSettings,
  settings: ClientSettings,
  signal: AbortSignal,
) => Promise<PreparedInputs>;
