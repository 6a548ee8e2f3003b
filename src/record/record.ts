import { betweenMs, type ClockAnchor, type InstantNs } from './clock.ts';
import type { ParameterValue, RunPlan, Warning } from './plan.ts';

/** Every code a task can fail with. A code is never reused. */
export const taskErrorCodes = [
  'upstream_error',
  'connection_failed',
  'body_truncated',
  'wrong_result',
  'worker_crashed',
  'invalid_answer',
  'run_timeout',
  'runner_crashed',
  'upstream_unavailable',
] as const;

export type TaskErrorCode = (typeof taskErrorCodes)[number];

export interface TaskError {
  readonly code: TaskErrorCode;
  readonly message: string;
  /** The upstream's own code (`NoSuchKey`, `ECONNREFUSED`), where it gave one. */
  readonly upstreamCode: string | null;
}

/** A stretch of time, both ends since the run's origin. */
export interface IntervalNs {
  readonly fromNs: InstantNs;
  readonly toNs: InstantNs;
}

/** The parts of an HTTP exchange. `null`: not observed, or it did not happen (a reused socket has no connect). */
export interface HttpPhases {
  readonly dns: IntervalNs | null;
  readonly connect: IntervalNs | null;
  readonly tls: IntervalNs | null;
  /** From the request being sent to the first byte of the answer. */
  readonly ttfb: IntervalNs | null;
  readonly download: IntervalNs | null;
}

/** One HTTP exchange of a task. */
export interface AttemptRecord {
  readonly method: string;
  /** Signatures and credentials in its query already replaced by `REDACTED`. */
  readonly url: string;
  readonly startedAtNs: InstantNs;
  /** `null` while the exchange has not ended. */
  readonly endedAtNs: InstantNs | null;
  readonly statusCode: number | null;
  /** Whether its answer came to its end. */
  readonly complete: boolean;
  readonly reusedSocket: boolean;
  /** What the answer's `Server-Timing` says it took the server, in milliseconds. */
  readonly serverMs: number | null;
  readonly phases: HttpPhases;
}

/** A body that was read to its end inside the task, and what it ought to be. */
export interface BodyRecord {
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  /** From `Content-Length`, or the listing. */
  readonly expectedBytes: number | null;
  /** Hex; `null` where the ETag is no MD5. */
  readonly expectedMd5: string | null;
}

/** How a model answered. */
export interface LlmRecord {
  /** From the request being made; `null` where the answer was not streamed. */
  readonly timeToFirstTokenMs: number | null;
  /** From the first token to the last, over the tokens after the first; `null` where not streamed or not known. */
  readonly timePerOutputTokenMs: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly stopReason: string | null;
}

/** What a task hands back. */
export interface TaskOutput {
  readonly value: ParameterValue | null;
  readonly body: BodyRecord | null;
  /** The answer in words, where it is one. */
  readonly text: string | null;
  readonly llm: LlmRecord | null;
}

/** Attribute names and values; never a secret among them. */
export type Labels = Readonly<Record<string, string | number | boolean>>;

/** The instants and place of a task. `null`: it never came so far, or nobody saw it. */
interface TaskFacts<Instant> {
  /** 0-based. */
  readonly index: number;
  readonly pid: number | null;
  /** `0` is a main thread; `null` where the thread has no number (isolated-vm's own threads). */
  readonly threadId: number | null;
  readonly queuedAtNs: Instant;
  readonly admittedAtNs: Instant;
  readonly startedAtNs: Instant;
  readonly endedAtNs: Instant;
  readonly returnedAtNs: Instant;
  /** Whether the worker, isolate or client that it used was there before its run; `null` where nobody could tell. */
  readonly reused: boolean | null;
  /** CPU time of the task's own thread or isolate while it ran; `null` where it can't be told apart. */
  readonly cpuNs: number | null;
  /** `null`: it ran, but nobody was left to tell. */
  readonly attempts: readonly AttemptRecord[] | null;
  /** What the task is about, under the semantic conventions' attribute names. */
  readonly labels: Labels;
}

export interface OkTask extends TaskFacts<InstantNs> {
  readonly state: 'ok';
  readonly output: TaskOutput;
}

export interface FailedTask extends TaskFacts<InstantNs | null> {
  readonly state: 'failed';
  readonly error: TaskError;
}

/** Its run was given up (the client went away, or the service ended); it ended when it was cancelled. */
export interface CancelledTask extends TaskFacts<InstantNs | null> {
  readonly state: 'cancelled';
}

export type TaskRecord = OkTask | FailedTask | CancelledTask;

/** `ok`, the error code the run ended with, or `cancelled` when its client went away. */
export const outcomes = [
  'ok',
  'tasks_failed',
  'no_valid_answer',
  'runner_crashed',
  'upstream_unavailable',
  'run_timeout',
  'shutting_down',
  'cancelled',
] as const;

export type Outcome = (typeof outcomes)[number];

export interface RuntimeRecord {
  readonly name: string;
  readonly version: string;
}

/** How the runner's main thread fared during the run. `null`: the runner did not live to tell. */
export interface RunnerLoad {
  readonly eventLoopDelayMaxMs: number | null;
  /** 0 … 1 */
  readonly eventLoopUtilization: number | null;
  /** CPU time of the runner and of the run's process workers. */
  readonly cpuMs: number | null;
}

/** What a runner that told nothing leaves behind. */
export const unknownLoad: RunnerLoad = { eventLoopDelayMaxMs: null, eventLoopUtilization: null, cpuMs: null };

export interface RunnerRecord extends RunnerLoad {
  readonly pid: number | null;
  /** Other runs that were in flight at some time during this one. */
  readonly runsInFlight: number;
}

/** What an isolate asks of its host, and where it goes on afterwards. `null` for runs without isolates. */
export interface IsolateRecord {
  readonly bridged: boolean;
  /** The thread on which an isolate goes on after a bridged call. */
  readonly resumesOn: 'isolated-vm thread' | null;
  /** A bare isolate has no clock: the host's callback observes its start. */
  readonly startObservedBy: 'host';
}

/** The ids of the run's spans, allotted before the run starts so that tasks can carry `traceparent`. */
export interface TraceIds {
  readonly traceId: string;
  /** The server span; `null` where there is none. */
  readonly parentSpanId: string | null;
  readonly runSpanId: string;
  readonly signSpanId: string | null;
  /** By task index. */
  readonly taskSpanIds: readonly string[];
  readonly sampled: boolean;
  /** The span that stands for this run in its comparison's trace; `null` outside comparisons. */
  readonly linkedTo: SpanIds | null;
}

/** What CPU work costs by itself. */
export interface Calibration {
  /** CPU time of one task alone on an idle runner, in milliseconds. */
  readonly taskMs: number;
  /** How many tasks the machine can compute at once. */
  readonly cores: number;
}

/** What names a span. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** What a run leaves behind: plain data, from which spans, metrics and JSON are made. */
export interface RunRecord {
  readonly id: string;
  readonly plan: RunPlan;
  readonly outcome: Outcome;
  /** Why the run as a whole failed, in words; `null` when it is `ok`. */
  readonly failure: string | null;
  readonly clock: ClockAnchor;
  readonly trace: TraceIds;
  /** Signing begins, or the fan-out where nothing is signed. */
  readonly startedAtNs: InstantNs;
  readonly signing: IntervalNs | null;
  /** `null` when no task could start. */
  readonly fanOutStartedAtNs: InstantNs | null;
  /** The join. */
  readonly endedAtNs: InstantNs;
  readonly tasks: readonly TaskRecord[];
  readonly runtime: RuntimeRecord;
  readonly runner: RunnerRecord;
  readonly isolate: IsolateRecord | null;
  /** `null` where the work is not CPU work, or was not measured alone. */
  readonly calibration: Calibration | null;
  readonly warnings: readonly Warning[];
}

/** How long a task waited for its slot, in milliseconds; `null` where it did not get one, or a join ended before it began. */
export function queueMs({ state, queuedAtNs, admittedAtNs, startedAtNs }: TaskRecord): number | null {
  return state === 'cancelled' && startedAtNs === null ? null : betweenMs(queuedAtNs, admittedAtNs);
}
