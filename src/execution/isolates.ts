import { threadId } from 'node:worker_threads';
import type { ExecutionContext, Executor, OpenExecutor, Place, TaskHandle } from './executor.ts';
import { measureInIsolate } from './isolate-measure.ts';
import { sender, type HttpClient } from './tools.ts';

/**
 * A fresh isolate a task, on the main thread. A task that sends requests can't hold the thread that must send
 * them, so its isolate runs on isolated-vm's own threads, still one after another.
 */
export const isolatesOnMainThread: OpenExecutor = (context) =>
  isolates(context, context.task.uses === 'nothing' ? 'here' : 'own');

/** A fresh isolate a task, on isolated-vm's own threads. */
export const isolatesOnOwnThreads: OpenExecutor = (context) => isolates(context, 'own');

async function isolates(context: ExecutionContext, thread: 'here' | 'own'): Promise<Executor> {
  const { clock, settings, openHttp } = context;
  const source = await context.bundles.isolateSource(context.bundle);
  // isolated-vm does not say which of its threads an isolate runs on.
  const place: Place = { pid: process.pid, threadId: thread === 'here' ? threadId : null };
  let client: HttpClient | null = null;

  async function execute(handle: TaskHandle): Promise<void> {
    const { input, traceparent, signal } = handle;
    if (openHttp !== null) client ??= openHttp(settings);
    const send = client === null ? null : sender(client, settings, signal);
    const execution = await measureInIsolate({
      clock,
      place,
      source,
      send,
      thread,
      input,
      traceparent,
      signal,
      announce: (startedAtNs, attempts) => handle.started({ ...place, startedAtNs, attempts }),
    });
    handle.returned({ ...execution, processCpuMs: null });
  }

  return {
    execute,
    async close() {
      client?.close();
    },
  };
}
