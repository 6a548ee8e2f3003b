import { threadId } from 'node:worker_threads';
import type { ExecutionContext, Executor, OpenExecutor, TaskHandle } from './executor.ts';
import { measure } from './measure.ts';
import { awaitingVariant, loadTools, type Tools } from './tools.ts';

/** Runs tasks on the main thread, each as it is: one that blocks blocks the thread. */
export const blockingInProcess: OpenExecutor = (context) => inProcess(context, null);

/** Runs tasks on the main thread, taking the awaiting variant of one that has it. */
export const awaitingInProcess: OpenExecutor = (context) => inProcess(context, awaitingVariant(context.task));

async function inProcess(
  { clock, task, settings, openHttp }: ExecutionContext,
  awaiting: ReturnType<typeof awaitingVariant>,
): Promise<Executor> {
  const openTools = await loadTools(task, settings, openHttp);
  const place = { pid: process.pid, threadId };
  let tools: Tools | null = null;

  async function execute(handle: TaskHandle): Promise<void> {
    const ready = (tools ??= openTools());
    const execution = await measure({
      clock,
      place,
      traceparent: handle.traceparent,
      ownsThread: false,
      announce: (startedAtNs, attempts) => handle.started({ ...place, startedAtNs, attempts }),
      perform: () => awaiting?.(handle.input, handle.signal) ?? ready.run(handle.input, handle.signal),
    });
    handle.returned({ ...execution, processCpuMs: null });
  }

  return {
    execute,
    async close() {
      tools?.close();
    },
  };
}
