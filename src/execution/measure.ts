import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord } from '../record/record.ts';
import { failed, type TaskResult } from '../workloads/task.ts';
import type { Execution, Place } from './executor.ts';
import { watchNodeHttp } from './http-observer.ts';
import { observeHttp } from './observation.ts';
import { threadCpuNs } from './thread-cpu.ts';

watchNodeHttp();

interface Measured {
  readonly clock: Clock;
  readonly place: Place;
  readonly traceparent: string | null;
  /** Whether the thread does nothing but this task meanwhile, so that its CPU time is the task's. */
  readonly ownsThread: boolean;
  /** Told just before user code runs, with what tells the task's HTTP exchanges so far. */
  announce(startedAtNs: InstantNs, attempts: () => readonly AttemptRecord[]): void;
  perform(): TaskResult | Promise<TaskResult>;
}

/**
 * Runs a task on the calling thread and says what it did. The announcement is sent before the start is taken, so
 * that its cost is not the task's. An error that the task throws becomes a failed result.
 */
export async function measure(task: Measured): Promise<Omit<Execution, 'processCpuMs' | 'reused'>> {
  const { clock, place } = task;
  return observeHttp(clock, task.traceparent, async (attempts) => {
    task.announce(clock(), attempts);
    const cpuBeforeNs = threadCpuNs();
    const startedAtNs = clock();
    let result: TaskResult;
    let waited = false;
    try {
      const performed = task.perform();
      waited = performed instanceof Promise;
      result = performed instanceof Promise ? await performed : performed;
    } catch (error) {
      result = threw(error);
    }
    const endedAtNs = clock();
    const cpuNs = task.ownsThread || !waited ? threadCpuNs() - cpuBeforeNs : null;
    return { ...place, startedAtNs, endedAtNs, cpuNs, attempts: attempts(), result };
  });
}

/** What a task's own error becomes: there is no answer, so nothing upstream can be blamed. */
export function threw(error: unknown): TaskResult {
  const message = error instanceof Error ? error.message : String(error);
  return failed({ code: 'worker_crashed', message: `the task threw: ${message}`, upstreamCode: null });
}
