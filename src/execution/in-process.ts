import { threadId } from 'node:worker_threads';
import type { ExecutionContext, Executor, OpenExecutor, TaskHandle } from './executor.ts';
import { measure } from './measure.ts';
import { Room } from './room.ts';
import { keyOf, mostIdleClients, Shelf, shelfDefaults } from './shelf.ts';
import { awaitingVariant, loadTools, type Tools } from './tools.ts';

/** Runs tasks on the main thread, each as it is: one that blocks blocks the thread. */
export const blockingInProcess: OpenExecutor = (context) => inProcess(context, null);

/** Runs tasks on the main thread, taking the awaiting variant of one that has it. */
export const awaitingInProcess: OpenExecutor = (context) => inProcess(context, awaitingVariant(context.task));

const shelf = new Shelf<Tools>({
  ...shelfDefaults,
  room: new Room(mostIdleClients),
  dispose: (tools) => tools.close(),
});

async function inProcess(
  { clock, task, settings, openHttp, pool, bundle, client }: ExecutionContext,
  awaiting: ReturnType<typeof awaitingVariant>,
): Promise<Executor> {
  const openTools = await loadTools(task, settings, openHttp);
  const key = pool === 'warm' ? keyOf(bundle, client, settings) : null;
  const place = { pid: process.pid, threadId };
  let supplied: { readonly item: Tools; readonly reused: boolean } | null = null;

  async function execute(handle: TaskHandle): Promise<void> {
    const { item: tools, reused } = (supplied ??= shelf.takeOrMake(key, openTools));
    const execution = await measure({
      clock,
      place,
      traceparent: handle.traceparent,
      ownsThread: false,
      announce: (startedAtNs, attempts) => handle.started({ ...place, startedAtNs, attempts }),
      perform: () => awaiting?.(handle.input, handle.signal) ?? tools.run(handle.input, handle.signal),
    });
    handle.returned({ ...execution, reused, processCpuMs: null });
  }

  return {
    execute,
    async close() {
      if (supplied !== null) shelf.giveOrDispose(key, supplied.item);
    },
  };
}
