import type { Clock } from '../record/clock.ts';
import type { TaskRecord } from '../record/record.ts';
import type { BegunRun, FinishedRun, FromRunner, StartedTask } from './messages.ts';

/** News of tasks that end one by one is collected for so long: each message costs its run up to a tenth of a ms. */
const collectMs = 5;

/** News that waits longer than this while the main thread is blocked could be lost with the runner. */
const staleNs = 1e6;

export interface ReporterOptions {
  readonly runId: string;
  readonly clock: Clock;
  /** Whether tasks block the main thread: its timers don't fire then. */
  readonly blocking: boolean;
  readonly send: (message: FromRunner) => void;
}

/**
 * Tells the service of a run as it happens, at a price that does not distort what is measured: what comes within
 * 5 ms goes out as one message. Where tasks block the main thread, a start that finds the last message more than
 * a millisecond old is sent at once, with what waits: the end of the task before, as a rule.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  #begun: BegunRun | null = null;
  #started: StartedTask[] = [];
  #ended: TaskRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sentAtNs = Number.NEGATIVE_INFINITY;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  begun(run: BegunRun): void {
    this.#begun = run;
    this.#sendSoon();
  }

  started(task: StartedTask): void {
    this.#started.push(task);
    const { blocking, clock } = this.#options;
    if (blocking && clock() - this.#sentAtNs > staleNs) this.#send(null);
    else this.#sendSoon();
  }

  ended(task: TaskRecord): void {
    this.#ended.push(task);
    this.#sendSoon();
  }

  /** Sends what waits, and that nothing more comes. */
  finished(run: FinishedRun): void {
    this.#send(run);
  }

  /** Sends what waits, if anything does. */
  flush(): void {
    if (this.#timer !== null) this.#send(null);
  }

  #sendSoon(): void {
    this.#timer ??= setTimeout(() => this.#send(null), collectMs);
  }

  #send(finished: FinishedRun | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { runId, clock, send } = this.#options;
    const news = { begun: this.#begun, started: this.#started, ended: this.#ended, finished };
    this.#begun = null;
    this.#started = [];
    this.#ended = [];
    this.#sentAtNs = clock();
    send({ type: 'news', runId, ...news });
  }
}
