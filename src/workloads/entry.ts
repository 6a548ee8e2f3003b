import type { Access } from '../record/plan.ts';
import type { WorkloadDeclaration } from './declaration.ts';
import type { PrepareInputs } from './inputs.ts';
import type { AnyTask } from './task.ts';

/** What a workload runs, by access (`task` where it has none), and what its tasks are given. */
export interface WorkloadImplementation {
  readonly task?: AnyTask;
  readonly sdk?: AnyTask;
  readonly presigned?: AnyTask;
  /** Left out: every task is given the run's parameters. */
  readonly prepareInputs?: PrepareInputs;
}

/** The modules of `src/workloads` export their tasks under the implementation's names too, for bundling. */
export interface WorkloadEntry {
  readonly declaration: WorkloadDeclaration;
  /** Gives the implementation where it runs; the service never calls it. What is heavy, tasks import themselves. */
  load(): Promise<WorkloadImplementation>;
}

/** The name under which a workload has the task of an access. */
export function taskName(access: Access | null): 'task' | Access {
  return access ?? 'task';
}
