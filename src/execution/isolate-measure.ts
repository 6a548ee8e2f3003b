import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../record/clock.ts';
import type { Send } from '../workloads/task.ts';
import type { Execution, Place } from './executor.ts';
import { observeHttp } from './http-observer.ts';
import { runInIsolate, runInIsolateThread, type IsolateJob, type IsolateOutcome } from './isolate-run.ts';
import { threw } from './measure.ts';

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
  /** Told just before user code runs. */
  announce(startedAtNs: number): void;
}

/** Runs a task in a fresh isolate and says what it did, as its host saw it. Never rejects. */
export async function measureInIsolate(task: MeasuredIsolate): Promise<Omit<Execution, 'processCpuMs'>> {
  const { clock, place, source, input, send } = task;
  return observeHttp(clock, task.traceparent, async (attempts) => {
    let startedAtNs = clock();
    let endedAtNs: number | null = null;
    const job: IsolateJob = {
      source,
      input,
      // isolated-vm calls it from nowhere; without this the observer would not know whose request it is.
      send: send === null ? null : AsyncResource.bind(send),
      started() {
        task.announce(clock());
        startedAtNs = clock();
      },
      ended: () => (endedAtNs = clock()),
    };
    const outcome = await outcomeOf(() =>
      task.thread === 'own' ? runInIsolateThread(job, task.signal) : runInIsolate(job),
    );
    return { ...place, startedAtNs, endedAtNs: endedAtNs ?? clock(), ...outcome, attempts: attempts() };
  });
}

type Outcome = Pick<IsolateOutcome, 'result'> & { readonly cpuNs: number | null };

async function outcomeOf(run: () => IsolateOutcome | Promise<IsolateOutcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    return { result: threw(error), cpuNs: null };
  }
}
