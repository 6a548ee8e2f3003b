import { AsyncResource } from 'node:async_hooks';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord } from '../record/record.ts';
import type { Send, TaskResult } from '../workloads/task.ts';
import type { Execution, Place } from './executor.ts';
import { watchNodeHttp } from './http-observer.ts';
import { observeHttp } from './observation.ts';
import { runInIsolate, runInIsolateThread, type IsolateJob } from './isolate-run.ts';
import { threw } from './measure.ts';

watchNodeHttp();

interface MeasuredIsolate {
  readonly clock: Clock;
  readonly place: Place;
  readonly traceparent: string | null;
  readonly source: string;
  readonly input: unknown;
  readonly send: Send | null;
  /** `here` holds the calling thread; `own` is one of isolated-vm's threads. */
  readonly thread: 'here' | 'own';
  readonly signal: AbortSignal;
  /** Told just before user code runs, with what tells the task's HTTP exchanges so far. */
  announce(startedAtNs: InstantNs, attempts: () => readonly AttemptRecord[]): void;
}

/**
 * Runs a task in a fresh isolate and says what it did, as its host saw it. Never rejects. CPU time is known only on
 * the calling thread: isolated-vm's `cpuTime` counts on while its threads wait for a core.
 */
export async function measureInIsolate(task: MeasuredIsolate): Promise<Omit<Execution, 'processCpuMs'>> {
  const { clock, place, source, input, send } = task;
  return observeHttp(clock, task.traceparent, async (attempts) => {
    let startedAtNs = clock();
    let endedAtNs: number | null = null;
    let cpuAtStart = process.threadCpuUsage();
    let cpuNs: number | null = null;
    const job: IsolateJob = {
      source,
      input,
      // isolated-vm calls it from nowhere; without this the observer would not know whose request it is.
      send: send === null ? null : AsyncResource.bind(send),
      started() {
        task.announce(clock(), attempts);
        cpuAtStart = process.threadCpuUsage();
        startedAtNs = clock();
      },
      ended() {
        endedAtNs = clock();
        if (task.thread === 'own') return;
        const { user, system } = process.threadCpuUsage(cpuAtStart);
        cpuNs = (user + system) * 1000;
      },
    };
    const result = await resultOf(() =>
      task.thread === 'own' ? runInIsolateThread(job, task.signal) : runInIsolate(job),
    );
    return { ...place, startedAtNs, endedAtNs: endedAtNs ?? clock(), cpuNs, attempts: attempts(), result };
  });
}

async function resultOf(run: () => TaskResult | Promise<TaskResult>): Promise<TaskResult> {
  try {
    return await run();
  } catch (error) {
    return threw(error);
  }
}
