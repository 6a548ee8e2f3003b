import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Executor } from '../execution/executor.ts';
import type { InstantNs } from '../record/clock.ts';
import type { JoinRule } from './join-rule.ts';
import type { CancelReason } from './messages.ts';
import { TaskInHand, type TaskRun } from './task-in-hand.ts';

export interface FanOut extends Omit<TaskRun, 'judge' | 'onEnd'> {
  /** By task index; their number is the number of tasks. */
  readonly inputs: readonly unknown[];
  /** How many tasks are in hand at once. */
  readonly concurrency: number;
  readonly executor: Executor;
  readonly join: JoinRule;
  /** Fires with a {@link CancelReason}. */
  readonly signal: AbortSignal;
}

export interface FanOutResult {
  /** The join: the return of the task that ended the run, or the instant of the cancellation. */
  readonly endedAtNs: InstantNs;
  /** CPU time of the processes that were made for tasks. */
  readonly processesCpuMs: number;
}

/**
 * Keeps `concurrency` tasks in hand until the join. A slot is free again only when nothing of its task is left alive,
 * so there are never more workers than slots; what that costs is the next task's queue time.
 *
 * At the join, or when the signal fires, tasks that have not returned are recorded as they stand and stopped; the
 * promise resolves when the last of them is dead. A hedged run records no task that it did not start.
 */
export async function fanOut(run: FanOut): Promise<FanOutResult> {
  return new Engine(run).run();
}

class Engine {
  readonly #run: FanOut;
  readonly #tasks: readonly TaskInHand[];
  /** The first that was not begun. */
  #next = 0;
  #endedAtNs: InstantNs | null = null;
  /** What to call when a task or the run has ended. */
  #wake: (() => void) | null = null;

  constructor(run: FanOut) {
    this.#run = run;
    const { join } = run;
    const judge: TaskRun['judge'] = (result) => join.judge(result);
    const taskRun = { ...run, judge, onEnd: (ok: boolean) => this.#taskEnded(ok) };
    this.#tasks = run.inputs.map((input, index) => new TaskInHand(taskRun, index, input));
  }

  async run(): Promise<FanOutResult> {
    const { signal, join, startedAtNs } = this.#run;
    const cancel = (): void => this.#end(reasonOf(signal));
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    await (join.hedgeAfterMs === null ? this.#keepSlotsBusy() : this.#hedge(join.hedgeAfterMs));
    signal.removeEventListener('abort', cancel);
    const lastReturnNs = Math.max(startedAtNs, ...this.#tasks.map(({ returnedAtNs }) => returnedAtNs ?? 0));
    return {
      endedAtNs: this.#endedAtNs ?? lastReturnNs,
      processesCpuMs: this.#tasks.reduce((sum, task) => sum + task.processCpuMs, 0),
    };
  }

  /** Whether there is anything left to begin. */
  get #hasNext(): boolean {
    return this.#next < this.#tasks.length && this.#endedAtNs === null;
  }

  async #keepSlotsBusy(): Promise<void> {
    const slots: Promise<void>[] = [];
    const keepBusy = async (): Promise<void> => {
      while (this.#hasNext) await this.#executeNext();
    };
    await inSlices(this.#tasks.slice(0, this.#run.concurrency), () => slots.push(keepBusy()));
    await Promise.all(slots);
  }

  /** Begins another task each time none has answered for so long, or one has failed. */
  async #hedge(afterMs: number): Promise<void> {
    const inHand = new Set<Promise<void>>();
    while (this.#hasNext) {
      const execution = this.#executeNext();
      inHand.add(execution);
      void execution.then(() => inHand.delete(execution));
      await this.#news(afterMs);
      while (this.#hasNext && inHand.size >= this.#run.concurrency) await Promise.race(inHand);
    }
    await Promise.all(inHand);
  }

  /** Resolves when a task or the run ends, or after so long. */
  async #news(afterMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, afterMs);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
    this.#wake = null;
  }

  async #executeNext(): Promise<void> {
    const task = this.#tasks[this.#next];
    if (task === undefined) return;
    this.#next += 1;
    task.admit();
    await this.#run.executor.execute(task);
  }

  #taskEnded(ok: boolean): void {
    if (ok && this.#run.join.endsWithFirst) this.#end('joined');
    this.#wake?.();
  }

  #end(reason: CancelReason | 'joined'): void {
    if (this.#endedAtNs !== null) return;
    const atNs = (this.#endedAtNs = this.#run.clock());
    const told = this.#run.join.hedgeAfterMs === null ? this.#tasks : this.#tasks.slice(0, this.#next);
    const unfinished = told.filter((task) => task.cancel(atNs, reason));
    void inSlices(unfinished, (task) => task.stop());
    this.#wake?.();
  }
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

function reasonOf({ reason }: AbortSignal): CancelReason {
  return reason;
}
