/** How an AWS task reaches AWS (see the README, "Strategies"). */
export type Access = 'sdk' | 'presigned';

/** How a task that sends plain requests does so. */
export type ClientName = 'got' | 'undici';

/** Whether what executes the tasks is made for the run (`cold`) or kept from run to run. */
export type Pool = 'cold' | 'warm';

/**
 * When a run is done: `all` tasks have returned, the first to succeed wins the `race`, the first whose answer passes a
 * check (`first-valid`), or the first to succeed where another task is started only when the earlier ones are slow
 * (`hedged`).
 */
export type Join = 'all' | 'race' | 'first-valid' | 'hedged';

/** What makes an answer valid. */
export type Validation = 'nonempty' | 'json' | 'sql';

/** How much of a task the trace shows. */
export type Detail = 'tasks' | 'phases';

/** What the AWS and HTTP workloads talk to. */
export type TargetName = 'emulator' | 'aws';

export type ParameterValue = number | string | boolean;

/** Something a reader of the figures must know. `code` is stable, `message` is for people. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/**
 * One run, resolved: every default filled in, every combination checked. Frozen plain data, so that it
 * crosses processes and is kept in the record as it was.
 */
export interface RunPlan {
  readonly workload: string;
  /** As the user names it: `async`, or with an access `presigned-async`. */
  readonly strategy: string;
  /** The name in the strategy registry: `async`. */
  readonly fanOut: string;
  /** Where a task's code runs. */
  readonly runsOn: 'main-thread' | 'isolate-threads' | 'worker-thread' | 'child-process';
  /** Whether it runs in a V8 isolate. */
  readonly isolate: boolean;
  readonly access: Access | null;
  readonly tasks: number;
  readonly concurrency: number;
  readonly pool: Pool;
  readonly client: ClientName | null;
  readonly join: Join;
  /** How long none may have answered until another task is started; `null` unless the join is `hedged`. */
  readonly hedgeAfterMs: number | null;
  /** `null` unless the join is `first-valid`. */
  readonly validate: Validation | null;
  /** How often a task may be tried; 1 means no retry. */
  readonly attempts: number;
  readonly detail: Detail;
  readonly timeoutMs: number;
  readonly runtime: string;
  readonly target: TargetName;
  /** The workload's own parameters. */
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** `isolates` is the runner started with `--no-node-snapshot`; nothing else runs in it. */
  readonly runnerKind: 'plain' | 'isolates';
  /** True when a task blocks the runner's main thread: the run then has a runner to itself. */
  readonly holdsMainThread: boolean;
  /** True when its tasks compute: the run has a use for all cores, and disturbs others that compute. */
  readonly cpuBound: boolean;
  /** Threads, processes and isolates alive at once on its behalf. */
  readonly workers: number;
  readonly warnings: readonly Warning[];
}
