import type { Clock } from '../record/clock.ts';
import type { TaskRecord } from '../record/record.ts';
import type { FromRunner, StartedTask } from './messages.ts';

type Tasks = Extract<FromRunner, { type: 'tasks' }>;

/** A message that waits longer than this while the main thread is blocked could be lost with the runner. */
const staleNs = 1e6;

/**
 * Tells the service of each task as it happens, at a price that does not distort what is measured: what comes in
 * one turn of the event loop goes out as one message. A blocked loop never turns, so a start that finds the last
 * message more than a millisecond old is sent at once, with what waits: the end of the task before, as a rule.
 */
export class Reporter {
  readonly #runId: string;
  readonly #clock: Clock;
  readonly #send: (message: FromRunner) => void;
  #started: StartedTask[] = [];
  #ended: TaskRecord[] = [];
  #scheduled = false;
  #sentAtNs = Number.NEGATIVE_INFINITY;

  constructor(runId: string, clock: Clock, send: (message: FromRunner) => void) {
    this.#runId = runId;
    this.#clock = clock;
    this.#send = send;
  }

  started(task: StartedTask): void {
    this.#started.push(task);
    if (this.#clock() - this.#sentAtNs > staleNs) this.flush();
    else this.#sendSoon();
  }

  ended(task: TaskRecord): void {
    this.#ended.push(task);
    this.#sendSoon();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#started.length === 0 && this.#ended.length === 0) return;
    const message: Tasks = {
      type: 'tasks',
      runId: this.#runId,
      started: this.#started,
      ended: this.#ended,
    };
    this.#started = [];
    this.#ended = [];
    this.#sentAtNs = this.#clock();
    this.#send(message);
  }

  #sendSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}
