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
 */
export function makeIsolateHere(source: string): ReadyIsolate {
  const isolate = new ivm.Isolate({ memoryLimit: memoryLimitMb });
  const context = isolate.createContextSync();
  context.evalSync(source);
  return { isolate, context };
}

/** The same on isolated-vm's own threads. */
export async function makeIsolate(source: string, signal: AbortSignal): Promise<ReadyIsolate> {
  const isolate = new ivm.Isolate({ memoryLimit: memoryLimitMb });
  return disposedWith(signal, isolate, async () => {
    const context = await isolate.createContext();
    await context.eval(source);
    return { isolate, context };
  });
}

export function disposeIsolate({ isolate }: Pick<ReadyIsolate, 'isolate'>): void {
  if (!isolate.isDisposed) isolate.dispose();
}

/**
 * Runs a job on the calling thread, which it holds to the end.
 * @throws Error what the task throws; its class does not survive
 */
export function runHere({ context }: ReadyIsolate, job: IsolateJob): TaskResult {
  return context.evalClosureSync(
    pureClosure,
    [new ivm.Callback(job.started), new ivm.Callback(job.ended), job.input],
    copied,
  );
}

/**
 * Runs a job on isolated-vm's own threads; also after a bridged call it goes on there. The signal disposes the
 * isolate, which stops whatever it does.
 * @throws Error what the task throws, or that the isolate was disposed
 */
export async function runInThread(
  { isolate, context }: ReadyIsolate,
  job: IsolateJob,
  signal: AbortSignal,
): Promise<TaskResult> {
  return disposedWith(signal, isolate, () =>
    context.evalClosure(
      job.send === null ? pureClosure : bridgedClosure,
      [
        new ivm.Callback(job.started, { ignored: true }),
        new ivm.Callback(job.ended, { ignored: true }),
        job.input,
        ...(job.send === null ? [] : [new ivm.Reference(bridge(job.send))]),
      ],
      job.send === null ? copied : { arguments: { copy: true }, result: { copy: true, promise: true } },
    ),
  );
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

/** A reference is called as a plain function, and only data comes back. */
function bridge(send: Send): (request: PlainRequest, read: ReadAs) => Promise<Exchange> {
  return (request, read) => send(request, read);
}
