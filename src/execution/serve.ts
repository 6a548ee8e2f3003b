import { isMainThread, threadId } from 'node:worker_threads';
import workerpool from 'workerpool';
import { clockFrom } from '../record/clock.ts';
import type { AnyTask } from '../workloads/task.ts';
import type { Place } from './executor.ts';
import { measure } from './measure.ts';
import { loadTools, type OpenHttp } from './tools.ts';
import { workMethod, type StartedEvent, type WorkOrder, type WorkReport } from './work-order.ts';

/** Serves one task from a worker thread or process: the whole of a worker's entry file. */
export function serve(task: AnyTask, openHttp: OpenHttp | null): void {
  workerpool.worker({
    async [workMethod](order: WorkOrder): Promise<WorkReport> {
      const openTools = await loadTools(task, order.settings, openHttp);
      const tools = openTools();
      const execution = await measure({
        clock: clockFrom(order.originNs),
        place: here,
        traceparent: order.traceparent,
        ownsThread: true,
        announce,
        perform: () => tools.run(order.input, unstoppable),
      });
      tools.close();
      return { ...execution, processCpuMs: processCpuMs() };
    },
  });
}

/** Its worker is what is stopped. */
export const unstoppable = new AbortController().signal;

export const here: Place = { pid: process.pid, threadId };

export function announce(startedAtNs: number): void {
  workerpool.workerEmit({ ...here, startedAtNs } satisfies StartedEvent);
}

/** CPU time of a process that was made for its task; a thread's is in its process's anyway. */
export function processCpuMs(): number | null {
  if (!isMainThread) return null;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
