import { BenchError } from '../errors.ts';
import type { RunPlan } from '../record/plan.ts';
import { exclusiveRunners } from '../runner/runners-alike.ts';
import { turnOf, WaitingLine } from '../waiting-line.ts';

export interface AdmissionLimits {
  readonly maxRunsInFlight: number;
  readonly maxWorkers: number;
}

/** What a run takes of what there is. */
export type Demand = Pick<RunPlan, 'workers' | 'holdsMainThread' | 'runtime' | 'runnerKind'>;

/** What runs need room in, beside a runner to themselves. */
const [aPlace, workersAlive] = ['a place', 'workers'];

/**
 * Lets runs in, first come, first served, while there is room for them, for their workers and, where they need one to
 * themselves, a runner; the queue is short. One that waits for workers or a runner holds no place meanwhile, and does not
 * hold up those that need none.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #line = new WaitingLine();
  #runs = 0;
  #workers = 0;
  /** By runtime and kind: how many runs have a runner to themselves. */
  readonly #runnersHeld = new Map<string, number>();
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
   * Waits until a run may start, and returns what gives its room back.
   * @throws BenchError `busy` when as many runs wait as may be in flight, `shutting_down`; the signal's reason when it
   *   fires first
   */
  async enter(demand: Demand, signal: AbortSignal): Promise<() => void> {
    this.#refuse();
    signal.throwIfAborted();
    if (this.#line.length >= this.#limits.maxRunsInFlight) throw this.#busy();
    const { workers } = demand;
    const runner = demand.holdsMainThread ? `${demand.runtime} ${demand.runnerKind}` : null;
    const needs = [aPlace, ...(workers > 0 ? [workersAlive] : []), ...(runner === null ? [] : [runner])];
    const take = (): void => this.#count(1, workers, runner);
    await this.#line.enter({ needs, take, lacks: () => this.#lackOf(workers, runner) }, signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count(-1, workers, runner);
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
      const turn = turnOf(
        () => this.#runs === 0,
        () => this.#count(1, 0, null),
      );
      await this.#line.enter(turn, signal);
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

  /** What there is no room in for such a run. @param runner the kind of which it needs one to itself */
  #lackOf(workers: number, runner: string | null): string | null {
    const { maxRunsInFlight, maxWorkers } = this.#limits;
    if (this.#runs >= maxRunsInFlight) return aPlace;
    if (this.#workers + workers > maxWorkers) return workersAlive;
    return runner !== null && this.#held(runner) >= exclusiveRunners ? runner : null;
  }

  #held(runner: string): number {
    return this.#runnersHeld.get(runner) ?? 0;
  }

  /** One more, or with -1 one less. */
  #count(change: 1 | -1, workers: number, runner: string | null): void {
    this.#runs += change;
    this.#workers += change * workers;
    if (runner !== null) this.#runnersHeld.set(runner, this.#held(runner) + change);
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
