import type { TargetSettings } from '../aws/target.ts';
import type { Runtime } from '../runner/runtimes.ts';
import type { StrategyEntry } from '../strategies/declaration.ts';
import type { WorkloadEntry } from '../workloads/entry.ts';

export interface Limits {
  readonly maxTasks: number;
  readonly maxWorkers: number;
  readonly runTimeoutMs: number;
  /** How many requests a comparison may make where they cost money. */
  readonly maxCalls: number;
}

/** What there is to plan with. */
export interface World {
  readonly workloads: readonly WorkloadEntry[];
  readonly strategies: readonly StrategyEntry[];
  readonly limits: Limits;
  readonly target: TargetSettings;
  /** The default first. */
  readonly runtimes: readonly Runtime[];
}
