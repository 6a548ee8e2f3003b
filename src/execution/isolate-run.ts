import ivm from 'isolated-vm';
import type { Exchange, ReadAs, Send, TaskResult } from '../workloads/task.ts';
import type { PlainRequest } from '../aws/client.ts';
import { isolateGlobal } from './isolate-global.ts';

/** V8's limit for one isolate's heap, in MB; isolated-vm's own default. */
const memoryLimitMb = 128;

/** An isolate that has its task's code. */
export interface ReadyIsolate {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly host: Host;
}

/** Where the job in hand lies. It must not lead to what isolated-vm holds of it: see {@link Host}. */
interface Hand {
  job: IsolateJob | null;
}

/**
 * What an isolate can reach of its host: made once for each, since an isolate lets go of what it was given only when it
 * collects garbage, which one that is used again and again hardly does. It leads to the job in hand and nowhere after it.
 *
 * isolated-vm holds the functions until their callbacks are collected here. So the functions must not lead back to their
 * callbacks, as arrow functions that use `this` would: all of them would stay for good.
 */
interface Host {
  readonly hand: Hand;
  readonly started: ivm.Callback;
  readonly ended: ivm.Callback;
  readonly startedIgnored: ivm.Callback;
  readonly endedIgnored: ivm.Callback;
  /** A reference is called as a plain function, and only data comes back. */
  readonly send: ivm.Reference<Send>;
}

function makeHost(): Host {
  const hand: Hand = { job: null };
  const started = (): void => hand.job?.started();
  const ended = (): void => hand.job?.ended();
  const send = async (request: PlainRequest, read: ReadAs): Promise<Exchange> => {
    if (hand.job?.send == null) throw new Error('This task sends no requests.');
    return hand.job.send(request, read);
  };
  return {
    hand,
    started: new ivm.Callback(started),
    ended: new ivm.Callback(ended),
    startedIgnored: new ivm.Callback(started, { ignored: true }),
    endedIgnored: new ivm.Callback(ended, { ignored: true }),
    send: new ivm.Reference(send),
  };
}

export interface IsolateJob {
  readonly input: unknown;
  /** The one thing that an isolate may ask of its host; `null` where it asks nothing. */
  readonly send: Send | null;
  /** Told by the isolate just before the task runs, and just after. A bare isolate has no clock of its own. */
  readonly started: () => void;
  readonly ended: () => void;
}

/**
 * Makes an isolate on the calling thread.
 * @param source a script that leaves the task in the global {@link isolateGlobal}
 * @throws Error what the source throws; the isolate is disposed then
 */
export function makeIsolateHere(source: string): ReadyIsolate {
  const isolate = new ivm.Isolate({ memoryLimit: memoryLimitMb });
  try {
    const context = isolate.createContextSync();
    context.evalSync(source);
    return { isolate, context, host: makeHost() };
  } catch (error) {
    disposeIsolate({ isolate });
    throw error;
  }
}

/** The same on isolated-vm's own threads. */
export async function makeIsolate(source: string, signal: AbortSignal): Promise<ReadyIsolate> {
  const isolate = new ivm.Isolate({ memoryLimit: memoryLimitMb });
  try {
    return await disposedWith(signal, isolate, async () => {
      const context = await isolate.createContext();
      await context.eval(source);
      return { isolate, context, host: makeHost() };
    });
  } catch (error) {
    disposeIsolate({ isolate });
    throw error;
  }
}

export function disposeIsolate({ isolate }: Pick<ReadyIsolate, 'isolate'>): void {
  if (!isolate.isDisposed) isolate.dispose();
}

/**
 * Runs a job on the calling thread, which it holds to the end.
 * @throws Error what the task throws; its class does not survive
 */
export function runHere({ context, host }: ReadyIsolate, job: IsolateJob): TaskResult {
  host.hand.job = job;
  try {
    return context.evalClosureSync(pureClosure, [host.started, host.ended, job.input], copied);
  } finally {
    host.hand.job = null;
  }
}

/**
 * Runs a job on isolated-vm's own threads; also after a bridged call it goes on there. The signal disposes the
 * isolate, which stops whatever it does.
 * @throws Error what the task throws, or that the isolate was disposed
 */
export async function runInThread(
  { isolate, context, host }: ReadyIsolate,
  job: IsolateJob,
  signal: AbortSignal,
): Promise<TaskResult> {
  host.hand.job = job;
  const given = [host.startedIgnored, host.endedIgnored, job.input];
  try {
    return await disposedWith(signal, isolate, () =>
      job.send === null
        ? context.evalClosure(pureClosure, given, copied)
        : context.evalClosure(bridgedClosure, [...given, host.send], {
            arguments: { copy: true },
            result: { copy: true, promise: true },
          }),
    );
  } finally {
    host.hand.job = null;
  }
}

async function disposedWith<T>(signal: AbortSignal, isolate: ivm.Isolate, act: () => Promise<T>): Promise<T> {
  const dispose = (): void => disposeIsolate({ isolate });
  signal.addEventListener('abort', dispose, { once: true });
  try {
    return await act();
  } finally {
    signal.removeEventListener('abort', dispose);
  }
}

const copied = { arguments: { copy: true }, result: { copy: true } } as const;

const pureClosure = `$0(); const result = ${isolateGlobal}.task.run($2); $1(); return result;`;

const bridgedClosure = `
  const send = (request, read) =>
    $3.apply(undefined, [request, read], { arguments: { copy: true }, result: { copy: true, promise: true } });
  return (async () => {
    $0();
    const result = await ${isolateGlobal}.task.run($2, send);
    $1();
    return result;
  })();`;
