import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Execution, Executor, TaskHandle, TaskStart } from '../execution/executor.ts';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { Labels, TaskRecord } from '../record/record.ts';
import type { CancelReason, StartedTask } from './messages.ts';
import { unfinishedError, unfinishedFacts, type UnfinishedFacts } from './unfinished.ts';

export interface FanOut {
  /** By task index; their number is the number of tasks. */
  readonly inputs: readonly unknown[];
  /** How many tasks are in hand at once. */
  readonly concurrency: number;
  readonly executor: Executor;
  readonly clock: Clock;
  /** When every task began to queue. */
  readonly startedAtNs: InstantNs;
  readonly traceparents: readonly string[] | null;
  /** By task index; may be shorter. */
  readonly labels: readonly Labels[];
  /** Fires with a {@link CancelReason}. */
  readonly signal: AbortSignal;
  /** Hears of each task as it happens. */
  readonly reporter: {
    started(task: StartedTask): void;
    ended(task: TaskRecord): void;
  };
}

export interface FanOutResult {
  /** The join: the last task's return, or the instant of the cancellation. */
  readonly endedAtNs: InstantNs;
  /** CPU time of the processes that were made for tasks. */
  readonly processesCpuMs: number;
}

/**
 * Keeps `concurrency` tasks in hand until all have returned. A slot is free again only when nothing of its task is
 * left alive, so there are never more workers than slots; what that costs is the next task's queue time.
 *
 * When the signal fires, tasks that have not returned are recorded as they stand; the promise resolves when
 * the last of them is dead.
 */
export async function fanOut(run: FanOut): Promise<FanOutResult> {
  const tasks = run.inputs.map((input, index) => new TaskInHand(run, index, input));
  let next = 0;

  async function keepSlotBusy(): Promise<void> {
    for (let task = tasks[next]; task !== undefined && !run.signal.aborted; task = tasks[next]) {
      next += 1;
      task.admit();
      await run.executor.execute(task);
    }
  }

  let cancelledAtNs: InstantNs | null = null;
  const cancel = (): void => {
    const at = (cancelledAtNs = run.clock());
    const reason: CancelReason = run.signal.reason;
    const unfinished = tasks.filter((task) => task.cancel(at, reason));
    void inSlices(unfinished, (task) => task.stop());
  };
  run.signal.addEventListener('abort', cancel, { once: true });
  if (run.signal.aborted) cancel();
  const slots: Promise<void>[] = [];
  await inSlices(tasks.slice(0, run.concurrency), () => slots.push(keepSlotBusy()));
  await Promise.all(slots);
  run.signal.removeEventListener('abort', cancel);

  return {
    endedAtNs: cancelledAtNs ?? Math.max(run.startedAtNs, ...tasks.map((task) => task.returnedAtNs ?? 0)),
    processesCpuMs: tasks.reduce((sum, task) => sum + task.processCpuMs, 0),
  };
}

/** So many tasks are begun, or stopped, in one turn of the event loop. */
const sliceLength = 100;

/**
 * Takes a turn of the event loop after every hundredth item: ten thousand requests that begin at once would hold the
 * main thread for seconds, in which no other run goes on and no word from the service is heard.
 */
async function inSlices<Item>(items: readonly Item[], act: (item: Item) => void): Promise<void> {
  for (const [position, item] of items.entries()) {
    if (position > 0 && position % sliceLength === 0) await nextTurn();
    act(item);
  }
}

/** One task on its way from the queue to its record. */
class TaskInHand implements TaskHandle {
  readonly index: number;
  readonly input: unknown;
  readonly traceparent: string | null;
  returnedAtNs: InstantNs | null = null;
  processCpuMs = 0;
  readonly #run: FanOut;
  readonly #labels: Labels;
  #admittedAtNs: InstantNs | null = null;
  #started: StartedTask | null = null;
  #attempts: TaskStart['attempts'] = null;
  #controller: AbortController | null = null;
  #settled = false;

  constructor(run: FanOut, index: number, input: unknown) {
    this.#run = run;
    this.index = index;
    this.input = input;
    this.traceparent = run.traceparents?.[index] ?? null;
    this.#labels = run.labels[index] ?? {};
  }

  /** A signal a task: a thousand listeners on one would cost each of them a look at all the others. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  admit(): void {
    this.#admittedAtNs = this.#run.clock();
  }

  started({ startedAtNs, pid, threadId, attempts }: TaskStart): void {
    if (this.#settled) return;
    this.#attempts = attempts;
    const admittedAtNs = this.#admittedAtNs ?? startedAtNs;
    const queuedAtNs = this.#run.startedAtNs;
    this.#started = { index: this.index, queuedAtNs, admittedAtNs, startedAtNs, pid, threadId };
    this.#run.reporter.started(this.#started);
  }

  returned({ result, processCpuMs, ...execution }: Execution): void {
    this.processCpuMs = processCpuMs ?? 0;
    if (this.#settled) return;
    this.#settled = true;
    const returnedAtNs = (this.returnedAtNs = this.#run.clock());
    const admittedAtNs = this.#admittedAtNs ?? execution.startedAtNs;
    const queuedAtNs = this.#run.startedAtNs;
    const facts = { index: this.index, ...execution, queuedAtNs, admittedAtNs, returnedAtNs };
    const labels = this.#labels;
    this.#run.reporter.ended({ ...facts, labels, ...result });
  }

  crashed(message: string): void {
    if (this.#settled) return;
    this.#settled = true;
    const atNs = (this.returnedAtNs = this.#run.clock());
    const error = { code: 'worker_crashed', message, upstreamCode: null } as const;
    this.#run.reporter.ended({ ...this.#knownAt(atNs), returnedAtNs: atNs, state: 'failed', error });
  }

  /** Records the task as it stands at its run's end; says whether there was anything left to end. */
  cancel(atNs: InstantNs, reason: CancelReason): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    const facts = { ...this.#knownAt(atNs), returnedAtNs: null };
    this.#run.reporter.ended(
      reason === 'run_timeout'
        ? { ...facts, state: 'failed', error: unfinishedError(reason) }
        : { ...facts, state: 'cancelled' },
    );
    return true;
  }

  /** Has whatever executes it end. */
  stop(): void {
    this.#controller?.abort();
  }

  /** What is known of a task that ends at `atNs` without a result. */
  #knownAt(atNs: InstantNs): UnfinishedFacts {
    return unfinishedFacts(this.index, atNs, {
      queuedAtNs: this.#run.startedAtNs,
      admittedAtNs: this.#admittedAtNs,
      started: this.#started,
      attempts: this.#attempts?.() ?? null,
      labels: this.#labels,
    });
  }
}
