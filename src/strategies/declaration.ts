import type { OpenExecutor } from '../execution/executor.ts';
import type { Access } from '../record/plan.ts';

/** The light half of a strategy: what it is, and what it can do. What is not declared is not possible. */
export interface StrategyDeclaration {
  readonly name: string;
  readonly summary: string;
  /** The strategy of the Python study that it rebuilds. */
  readonly study: string;
  /** Where a task's code runs. */
  readonly runsOn: 'main-thread' | 'isolate-threads' | 'worker-thread' | 'child-process';
  /** A task has only the language there; what else it needs is bridged to the host. */
  readonly isolate: boolean;
  /** `one`: one after another, whatever `concurrency` says. */
  readonly tasksAtOnce: 'one' | 'concurrency';
  /**
   * What everybody starts from: comparisons have it as their baseline, and CPU work is measured alone with it. One
   * strategy is it, with one task after another on a main thread.
   */
  readonly baseline: boolean;
  /** Takes a task's awaiting variant where the workload has one. */
  readonly awaits: boolean;
  /** Accesses that can't be used, each with the reason. */
  readonly refusedAccesses: Readonly<Partial<Record<Access, string>>>;
}

export interface StrategyEntry {
  readonly declaration: StrategyDeclaration;
  /** Imports what executes its tasks, where it runs; the service never calls it. */
  load(): Promise<OpenExecutor>;
}
