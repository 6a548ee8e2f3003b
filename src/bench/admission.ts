import { BenchError } from '../errors.ts';

export interface AdmissionLimits {
  readonly maxRunsInFlight: number;
  readonly maxWorkers: number;
}

/** Lets runs in, first come, first served, while there is room for them and their workers; the queue is short. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #queue: {
    readonly workers: number;
    readonly enter: () => void;
    readonly turnAway: (error: Error) => void;
  }[] = [];
  #runs = 0;
  #workers = 0;
  #closed = false;
  /** Someone has, or waits for, the machine to itself. */
  #alone = false;
  /** Called when nothing is in flight and nobody waits. */
  #whenEmpty: (() => void) | null = null;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get runsInFlight(): number {
    return this.#runs;
  }

  /**
   * Waits until a run with so many workers may start, and returns what gives its room back.
   * @throws BenchError `busy` when as many runs wait as may be in flight, `shutting_down`; the signal's reason when it
   *   fires first
   */
  async enter(workers: number, signal: AbortSignal): Promise<() => void> {
    this.#refuse();
    signal.throwIfAborted();
    if (this.#queue.length > 0 || !this.#hasRoomFor(workers)) await this.#turn(workers, signal);
    else this.#take(workers);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#runs -= 1;
      this.#workers -= workers;
      this.#letIn();
    };
  }

  /**
   * Waits until no run is in flight, and lets none in until what it returns is called.
   * @throws BenchError `comparison_running` when another does so, `shutting_down`; the signal's reason when it fires first
   */
  async enterAlone(signal: AbortSignal): Promise<() => void> {
    this.#refuse();
    signal.throwIfAborted();
    const leave = (): void => {
      this.#alone = false;
      this.#whenEmpty = null;
    };
    this.#alone = true;
    if (this.#runs > 0 || this.#queue.length > 0) {
      const empty = Promise.withResolvers<void>();
      this.#whenEmpty = empty.resolve;
      const giveUp = (): void => empty.reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      await empty.promise.catch((reason: unknown) => {
        leave();
        throw reason;
      });
      signal.removeEventListener('abort', giveUp);
    }
    this.#runs += 1;
    return () => {
      this.#runs -= 1;
      leave();
    };
  }

  #refuse(): void {
    if (this.#closed) throw shuttingDownError();
    if (this.#alone) {
      throw new BenchError(
        'comparison_running',
        'A comparison has the machine to itself, so that nothing disturbs it. Try again when it is over.',
      );
    }
  }

  /** Turns away everyone who waits, and whoever comes. */
  close(): void {
    this.#closed = true;
    for (const { turnAway } of this.#queue.splice(0)) turnAway(shuttingDownError());
  }

  #hasRoomFor(workers: number): boolean {
    const { maxRunsInFlight, maxWorkers } = this.#limits;
    return this.#runs < maxRunsInFlight && this.#workers + workers <= maxWorkers;
  }

  #take(workers: number): void {
    this.#runs += 1;
    this.#workers += workers;
  }

  #letIn(): void {
    for (
      let next = this.#queue[0];
      next !== undefined && this.#hasRoomFor(next.workers);
      next = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#take(next.workers);
      next.enter();
    }
    if (this.#runs === 0 && this.#queue.length === 0) this.#whenEmpty?.();
  }

  async #turn(workers: number, signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#limits.maxRunsInFlight) {
      throw new BenchError(
        'busy',
        `All ${this.#runs} places for runs are taken and ${this.#queue.length} runs wait. Try again soon.`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(place), 1);
        reject(signal.reason);
        this.#letIn();
      };
      const settleWith = (settle: () => void): (() => void) => {
        return () => {
          signal.removeEventListener('abort', leave);
          settle();
        };
      };
      const place = {
        workers,
        enter: settleWith(resolve),
        turnAway: (error: Error) => settleWith(() => reject(error))(),
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(place);
    });
  }
}

export function shuttingDownError(): BenchError {
  return new BenchError('shutting_down', 'The service is shutting down and starts no more runs.');
}
