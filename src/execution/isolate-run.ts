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

/**
 * What an isolate can reach of its host: made once for each, since an isolate lets go of what it was given only when it
 * collects garbage, which one that is used again and again hardly does. It leads to the job in hand and nowhere after it.
 */
class Host {
  job: IsolateJob | null = null;
  readonly started = new ivm.Callback(() => this.job?.started());
  readonly ended = new ivm.Callback(() => this.job?.ended());
  readonly startedIgnored = new ivm.Callback(() => this.job?.started(), { ignored: true });
  readonly endedIgnored = new ivm.Callback(() => this.job?.ended(), { ignored: true });
  /** A reference is called as a plain function, and only data comes back. */
  readonly send = new ivm.Reference(async (request: PlainRequest, read: ReadAs): Promise<Exchange> => {
    const send = this.job?.send;
    if (send == null) throw new Error('This task sends no requests.');
    return send(request, read);
  });
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
  return { isolate, context, host: new Host() };
}

/** The same on isolated-vm's own threads. */
export async function makeIsolate(source: string, signal: AbortSignal): Promise<ReadyIsolate> {
  const isolate = new ivm.Isolate({ memoryLimit: memoryLimitMb });
  return disposedWith(signal, isolate, async () => {
    const context = await isolate.createContext();
    await context.eval(source);
    return { isolate, context, host: new Host() };
  });
}

export function disposeIsolate({ isolate }: Pick<ReadyIsolate, 'isolate'>): void {
  if (!isolate.isDisposed) isolate.dispose();
}

/**
 * Runs a job on the calling thread, which it holds to the end.
 * @throws Error what the task throws; its class does not survive
 */
export function runHere({ context, host }: ReadyIsolate, job: IsolateJob): TaskResult {
  host.job = job;
  try {
    return context.evalClosureSync(pureClosure, [host.started, host.ended, job.input], copied);
  } finally {
    host.job = null;
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
  host.job = job;
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
    host.job = null;
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
