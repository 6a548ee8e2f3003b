import { threadId } from 'node:worker_threads';
import type { ExecutionContext, Executor, OpenExecutor, Place, TaskHandle } from './executor.ts';
import { measureInIsolate } from './isolate-measure.ts';
import { IsolateSupply, type IsolateThread } from './isolate-supply.ts';
import { Room } from './room.ts';
import { keyOf, mostIdleClients, Shelf, shelfDefaults } from './shelf.ts';
import { sender, type HttpClient } from './tools.ts';

/**
 * An isolate a task, on the main thread. A task that sends requests can't hold the thread that must send them, so its
 * isolate runs on isolated-vm's own threads, still one after another.
 */
export const isolatesOnMainThread: OpenExecutor = (context) =>
  isolates(context, 'one after another', context.task.uses === 'nothing' ? 'here' : 'own');

/** An isolate a task, on isolated-vm's own threads. */
export const isolatesOnOwnThreads: OpenExecutor = (context) => isolates(context, 'at once', 'own');

const clients = new Shelf<HttpClient>({
  ...shelfDefaults,
  room: new Room(mostIdleClients),
  dispose: (client) => client.close(),
});

async function isolates(
  context: ExecutionContext,
  purpose: string,
  thread: IsolateThread,
): Promise<Executor> {
  const { clock, settings, openHttp, pool } = context;
  const source = await context.bundles.isolateSource(context.bundle);
  const supply = new IsolateSupply(source, purpose, thread, pool === 'warm');
  const leave = await supply.reserve(context.concurrency, context.maxWorkers);
  const key = pool === 'warm' ? keyOf(purpose, context.bundle, context.client, settings) : null;
  // isolated-vm does not say which of its threads an isolate runs on.
  const place: Place = { pid: process.pid, threadId: thread === 'here' ? threadId : null };
  let client: { readonly item: HttpClient; readonly reused: boolean } | null = null;

  async function execute(handle: TaskHandle): Promise<void> {
    const { input, traceparent, signal } = handle;
    if (openHttp !== null) client ??= clients.takeOrMake(key, () => openHttp(settings));
    const execution = await measureInIsolate({
      clock,
      place,
      supply,
      send: client === null ? null : sender(client.item, settings, signal),
      thread,
      input,
      traceparent,
      signal,
      announce: (startedAtNs, attempts) => handle.started({ ...place, startedAtNs, attempts }),
    });
    // All that it used must have been there.
    const reused = execution.reused && (client?.reused ?? true);
    handle.returned({ ...execution, reused, processCpuMs: null });
  }

  return {
    execute,
    async close() {
      leave();
      if (client !== null) clients.giveOrDispose(key, client.item);
    },
  };
}
