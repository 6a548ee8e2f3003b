import type { ClientSettings, PlainRequest } from '../aws/client.ts';
import type { BodyRecord, TaskError, TaskOutput } from '../record/record.ts';

/** How a task ended, as plain data: an error's class and code do not survive threads, processes or isolates. */
export type TaskResult =
  | { readonly state: 'ok'; readonly output: TaskOutput }
  | {
      readonly state: 'failed';
      readonly error: TaskError;
      /** Whether the same request may succeed when it is sent again. */
      readonly retryable: boolean;
    };

/** An answer whose body was read to its end and hashed. */
export interface Answer {
  readonly state: 'answered';
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Hex; `null` where no digest was asked for. */
  readonly md5: string | null;
  /** The body as text, where that was asked for or the answer is an error; else `null`. */
  readonly text: string | null;
  /** The events of the body, where they were asked for and the answer is none; else `null`. */
  readonly events: readonly StreamEvent[] | null;
}

/** One event of an AWS event stream. */
export interface StreamEvent {
  /** When it was there, in milliseconds since the request was made. */
  readonly atMs: number;
  readonly kind: 'event' | 'exception';
  /** `contentBlockDelta`; of an exception its name. */
  readonly type: string;
  /** JSON. What a `chunk` wraps is unwrapped. */
  readonly data: string;
}

/** What becomes of an answer's body: its digest, its text, or its events as they come. */
export type ReadAs = 'digest' | 'text' | 'event-stream';

export type Exchange = Answer | Extract<TaskResult, { state: 'failed' }>;

/** Sends one request. Never rejects: what goes wrong comes back as data. */
export type Send = (request: PlainRequest, read: ReadAs) => Promise<Exchange>;

/** A task that needs the language alone. */
export interface PureTask<Input> {
  readonly uses: 'nothing';
  run(input: Input): TaskResult;
  /** The same without blocking its thread, for `async`. Ends early, with any result, when the signal fires. */
  runAwaiting?(input: Input, signal: AbortSignal): Promise<TaskResult>;
}

/** A task that sends one request; the client comes from where it runs, or is bridged into an isolate. */
export interface HttpTask<Input> {
  readonly uses: 'http';
  run(input: Input, send: Send): Promise<TaskResult>;
}

/** A task that talks through a client of the AWS SDK. */
export interface SdkTask<Input> {
  readonly uses: 'sdk';
  /** Imports the SDK and returns what makes a client: one a thread or process, for the run. */
  load(): Promise<(settings: ClientSettings) => SdkSession<Input>>;
}

/** A client, and the task that uses it. */
export interface SdkSession<Input> {
  /** The signal ends its exchanges and closes their sockets. */
  run(input: Input, signal: AbortSignal): Promise<TaskResult>;
  close(): void;
}

/**
 * Any task, as the code that executes tasks sees it. Inputs come from the same workload that wrote the task, and
 * reach it through messages, so their type is known to the workload alone.
 */
export type AnyTask = PureTask<unknown> | HttpTask<unknown> | SdkTask<unknown>;

export function ok(output: Partial<TaskOutput> = {}): TaskResult {
  return { state: 'ok', output: { value: null, body: null, text: null, llm: null, ...output } };
}

export function failed(error: TaskError, retryable = false): Extract<TaskResult, { state: 'failed' }> {
  return { state: 'failed', error, retryable };
}

/** Why a body is not the one that was asked for; `null` when it is. Length first, digest where one is known. */
export function checkBody(body: BodyRecord): TaskError | null {
  if (body.expectedBytes !== null && body.bytes !== body.expectedBytes) {
    return wrong(`the body has ${body.bytes} bytes instead of ${body.expectedBytes}`);
  }
  if (body.expectedMd5 !== null && body.md5 !== body.expectedMd5) {
    return wrong(`the body's MD5 is ${body.md5} instead of ${body.expectedMd5}`);
  }
  return null;
}

export function wrong(message: string): TaskError {
  return { code: 'wrong_result', message, upstreamCode: null };
}
