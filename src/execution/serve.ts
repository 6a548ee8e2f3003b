import { isMainThread, threadId } from 'node:worker_threads';
import workerpool from 'workerpool';
import { clockFrom } from '../record/clock.ts';
import type { AnyTask } from '../workloads/task.ts';
import type { Place } from './executor.ts';
import { measure } from './measure.ts';
import { loadTools, type OpenHttp, type Tools } from './tools.ts';
import { workMethod, type StartedEvent, type WorkOrder, type WorkReport } from './work-order.ts';

/** Serves tasks from a worker thread or process, one at a time: the whole of a worker's entry file. */
export function serve(task: AnyTask, openHttp: OpenHttp | null): void {
  let kept: Tools | null = null;
  workerpool.worker({
    async [workMethod](order: WorkOrder): Promise<WorkReport> {
      const reused = kept !== null;
      const tools = kept ?? (await loadTools(task, order.settings, openHttp))();
      const execution = await measure({
        clock: clockFrom(order.originNs),
        place: here,
        traceparent: order.traceparent,
        ownsThread: true,
        announce,
        perform: () => tools.run(order.input, unstoppable),
      });
      if (order.keep) kept = tools;
      else tools.close();
      return { ...execution, reused, processCpuMs: processCpuMs() };
    },
  });
}

/** Its worker is what is stopped. */
export const unstoppable = new AbortController().signal;

export const here: Place = { pid: process.pid, threadId };

export function announce(startedAtNs: number): void {
  workerpool.workerEmit({ ...here, startedAtNs } satisfies StartedEvent);
}

let toldCpu = { user: 0, system: 0 };

/**
 * CPU time of the whole process since it last told, at first since its start: what the task cost, and the making of
 * its process. Of a thread it is in its process's anyway.
 */
export function processCpuMs(): number | null {
  if (!isMainThread) return null;
  const { user, system } = process.cpuUsage(toldCpu);
  toldCpu = process.cpuUsage();
  return (user + system) / 1000;
}
