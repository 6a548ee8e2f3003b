import type { Clock, InstantNs } from '../record/clock.ts';
import type { ClientName, Pool } from '../record/plan.ts';
import type { AttemptRecord } from '../record/record.ts';
import type { ClientSettings } from '../aws/client.ts';
import type { AnyTask, TaskResult } from '../workloads/task.ts';
import type { OpenHttp } from './tools.ts';

/** A task in hand: its input, and where it says what becomes of it. */
export interface TaskHandle {
  readonly index: number;
  readonly input: unknown;
  /** Sent with its HTTP requests; `null` where the run is not traced. */
  readonly traceparent: string | null;
  /** Fires when the task is to stop at once. */
  readonly signal: AbortSignal;
  /** User code is about to run: heard at once, and replaced by what {@link Execution} says. */
  started(start: TaskStart): void;
  /** The strategy has the result in hand. What comes after is clearing up. */
  returned(execution: Execution): void;
  /** What executed it died, and what the task did is lost with it. */
  crashed(message: string): void;
}

/** A task that runs. */
export interface TaskStart extends Place {
  readonly startedAtNs: InstantNs;
  /** The HTTP exchanges it has made so far; `null` where they can't be seen from here. */
  readonly attempts: (() => readonly AttemptRecord[]) | null;
}

export interface Place {
  readonly pid: number;
  /** `0` is a main thread; `null` where the thread has no number. */
  readonly threadId: number | null;
}

/** What a task did, once it has run. */
export interface Execution extends Place {
  readonly startedAtNs: InstantNs;
  readonly endedAtNs: InstantNs;
  readonly cpuNs: number | null;
  /** Whether the worker, isolate or client that it used was there before its run. */
  readonly reused: boolean;
  readonly attempts: readonly AttemptRecord[];
  readonly result: TaskResult;
  /** CPU time of the whole process that was made for the task; `null` where none was. */
  readonly processCpuMs: number | null;
}

/** What an executor is made from, once a run. */
export interface ExecutionContext {
  readonly clock: Clock;
  /** The origin of {@link ExecutionContext.clock}, for other threads and processes. */
  readonly originNs: string;
  readonly task: AnyTask;
  /** Whether what executes tasks may be used again, and may have been used before. */
  readonly pool: Pool;
  /** So many tasks are executed at once, at most. */
  readonly concurrency: number;
  /** So many workers and isolates may be alive in this process at once, those that lie idle counted. */
  readonly maxWorkers: number;
  /** Name of its bundles: `fib`, `s3-sdk`, `s3-presigned`. */
  readonly bundle: string;
  readonly bundles: BundleFolder;
  readonly settings: ClientSettings;
  /** The plain HTTP client of the run; `null` where its tasks send nothing through one. */
  readonly client: ClientName | null;
  /** Opens the plain HTTP client of the run; `null` where its tasks send nothing through one. */
  readonly openHttp: OpenHttp | null;
  /** The whole environment of a worker that needs AWS credentials; others get an empty one. */
  readonly awsEnvironment: Readonly<Record<string, string>>;
}

/** Where the built files are. */
export interface BundleFolder {
  /** The file that a worker thread or process executes. It holds the one client that its task sends with, if any. */
  worker(bundle: string, client: ClientName | null): string;
  /** The file that a process executes whose tasks run in an isolate of its own. */
  isolateWorker(client: ClientName | null): string;
  /** The source text that an isolate is handed. */
  isolateSource(bundle: string): Promise<string>;
}

/** Executes tasks one strategy's way. */
export interface Executor {
  /**
   * Executes one task. Resolves, never rejects, when nothing of it is left alive; a task that was stopped
   * may resolve without having returned.
   */
  execute(handle: TaskHandle): Promise<void>;
  /** Closes what was made for the run, or lays it down for the next. Called when no task is executed any more. */
  close(): Promise<void>;
}

/**
 * Makes what one run needs, and room for it. Called before the run starts, so it must do no work that belongs to a task.
 */
export type OpenExecutor = (context: ExecutionContext) => Promise<Executor>;
