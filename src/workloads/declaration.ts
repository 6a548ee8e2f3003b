import type { ParameterDeclarations, ParameterValues } from '../record/parameters.ts';
import type { Access, ClientName, Validation } from '../record/plan.ts';
import type { TaskError, TaskOutput } from '../record/record.ts';
import type { ServiceName, TargetSettings } from '../aws/target.ts';

/** A setting that both accesses share, or in which their defaults differ and were made equal. */
export interface SharedSetting {
  readonly setting: string;
  readonly value: string;
}

/** The light half of a workload: the service knows this much of it and never loads the rest. */
export interface WorkloadDeclaration {
  readonly name: string;
  readonly summary: string;
  /** Decides how its run is analysed: CPU time, or time spent waiting for an answer. */
  readonly work: 'cpu' | 'wait' | 'io';
  /**
   * Whether a task blocks the thread it runs on: `always`, `unless-awaited` (it has an awaiting variant, which
   * `async` takes), or `never`. A strategy on the runner's main thread then needs a runner to itself.
   */
  readonly blocksThread: 'always' | 'unless-awaited' | 'never';
  /** Empty: its strategies are named without an access. */
  readonly accesses: readonly Access[];
  /** HTTP clients that a task not using the SDK can send with. Empty: the workload sends nothing. */
  readonly clients: readonly ClientName[];
  /** The service whose endpoint its tasks are given; `null`: none. */
  readonly service: ServiceName | null;
  /** What its answers can be checked for, the default first. Empty: it has none to check. */
  readonly validations: readonly Validation[];
  readonly defaultTasks: number;
  readonly defaultStrategy: string;
  readonly params: ParameterDeclarations;
  /** The one of `params`, yes or no, that decides whether a run's JSON tells what was answered; `null`: it never does. */
  readonly answersParameter: string | null;
  /** What was set explicitly on every side so that they compete on equal terms. */
  readonly sharedSettings: readonly SharedSetting[];
  /** What the configuration lacks for it, in words that name the fix; `null` when it can run. */
  missingSetting(target: TargetSettings): string | null;
  /** Why a task's output is wrong; `null` when it is right. Pure. */
  check(output: TaskOutput, params: ParameterValues): TaskError | null;
}
