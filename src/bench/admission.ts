import { BenchError } from '../errors.ts';
import { WaitingLine } from '../waiting-line.ts';

export interface AdmissionLimits {
  readonly maxRunsInFlight: number;
  readonly maxWorkers: number;
}

/** Lets runs in, first come, first served, while there is room for them and their workers; the queue is short. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #line = new WaitingLine();
  #runs = 0;
  #workers = 0;
  #closed = false;
  /** Someone has, or waits for, the machine to itself. */
  #alone = false;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get runsInFlight(): number {
    return this.#runs;
  }

  get runsWaiting(): number {
    return this.#line.length;
  }

  /** It lets nobody in any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Waits until a run with so many workers may start, and returns what gives its room back.
   * @throws BenchError `busy` when as many runs wait as may be in flight, `shutting_down`; the signal's reason when it
   *   fires first
   */
  async enter(workers: number, signal: AbortSignal): Promise<() => void> {
    this.#refuse();
    signal.throwIfAborted();
    if (this.#line.length >= this.#limits.maxRunsInFlight) throw this.#busy();
    const turn = { fits: () => this.#hasRoomFor(workers), take: () => this.#take(workers) };
    await this.#line.enter(turn, signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#runs -= 1;
      this.#workers -= workers;
      this.#line.letIn();
    };
  }

  /**
   * Waits until no run is in flight, and lets none in until what it returns is called.
   * @throws BenchError `comparison_running` when another does so, `shutting_down`; the signal's reason when it fires first
   */
  async enterAlone(signal: AbortSignal): Promise<() => void> {
    this.#refuse();
    signal.throwIfAborted();
    this.#alone = true;
    try {
      // The last in the line: nobody comes after.
      await this.#line.enter({ fits: () => this.#runs === 0, take: () => this.#take(0) }, signal);
    } catch (error) {
      this.#alone = false;
      throw error;
    }
    return () => {
      this.#runs -= 1;
      this.#alone = false;
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
    this.#line.turnAway(shuttingDownError());
  }

  #hasRoomFor(workers: number): boolean {
    const { maxRunsInFlight, maxWorkers } = this.#limits;
    return this.#runs < maxRunsInFlight && this.#workers + workers <= maxWorkers;
  }

  #take(workers: number): void {
    this.#runs += 1;
    this.#workers += workers;
  }

  #busy(): BenchError {
    return new BenchError(
      'busy',
      `All ${this.#runs} places for runs are taken and ${this.#line.length} runs wait. Try again soon.`,
    );
  }
}

export function shuttingDownError(): BenchError {
  return new BenchError('shutting_down', 'The service is shutting down and starts no more runs.');
}
