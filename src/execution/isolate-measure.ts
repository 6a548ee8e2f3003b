import { AsyncResource } from 'node:async_hooks';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord } from '../record/record.ts';
import type { Send, TaskResult } from '../workloads/task.ts';
import type { Execution, Place } from './executor.ts';
import { watchNodeHttp } from './http-observer.ts';
import { observeHttp } from './observation.ts';
import { runHere, runInThread, type IsolateJob } from './isolate-run.ts';
import type { IsolateSupply, IsolateThread } from './isolate-supply.ts';
import { threw } from './measure.ts';
import { threadCpuNs } from './thread-cpu.ts';

watchNodeHttp();

interface MeasuredIsolate {
  readonly clock: Clock;
  readonly place: Place;
  readonly traceparent: string | null;
  readonly supply: IsolateSupply;
  readonly input: unknown;
  readonly send: Send | null;
  readonly thread: IsolateThread;
  readonly signal: AbortSignal;
  /** Told just before user code runs, with what tells the task's HTTP exchanges so far. */
  announce(startedAtNs: InstantNs, attempts: () => readonly AttemptRecord[]): void;
}

/**
 * Runs a task in an isolate and says what it did, as its host saw it. Never rejects. CPU time is known only on the
 * calling thread: isolated-vm's `cpuTime` counts on while its threads wait for a core.
 */
export async function measureInIsolate(task: MeasuredIsolate): Promise<Omit<Execution, 'processCpuMs'>> {
  const { clock, place, supply, input, send, signal } = task;
  return observeHttp(clock, task.traceparent, async (attempts) => {
    let startedAtNs = clock();
    let endedAtNs: number | null = null;
    let cpuAtStartNs = threadCpuNs();
    let cpuNs: number | null = null;
    const job: IsolateJob = {
      input,
      // isolated-vm calls it from nowhere; without this the observer would not know whose request it is.
      send: send === null ? null : AsyncResource.bind(send),
      started() {
        task.announce(clock(), attempts);
        cpuAtStartNs = threadCpuNs();
        startedAtNs = clock();
      },
      ended() {
        endedAtNs = clock();
        if (task.thread === 'own') return;
        cpuNs = threadCpuNs() - cpuAtStartNs;
      },
    };
    let result: TaskResult;
    let reused = false;
    try {
      const taken = await supply.take(signal);
      ({ reused } = taken);
      let sound = false;
      try {
        result = await (task.thread === 'own'
          ? runInThread(taken.ready, job, signal)
          : runHere(taken.ready, job));
        sound = true;
      } finally {
        supply.give(taken.ready, sound);
      }
    } catch (error) {
      result = threw(error);
    }
    const facts = { ...place, startedAtNs, endedAtNs: endedAtNs ?? clock(), cpuNs, reused };
    return { ...facts, attempts: attempts(), result };
  });
}
