/** What is counted of a runner. */
export interface Housekeeper {
  readonly alive: boolean;
  /** How many workers and isolates lie idle in it, as far as it has said. */
  readonly kept: number;
  /** Resolves when no more than this lie idle in it. */
  keepAtMost(most: number): Promise<void>;
}

interface Count {
  inUse: number;
  /** Its one run may hold its main thread, so that it could not answer. */
  busy: boolean;
}

/** A run's part of all workers and isolates. */
export interface Share {
  /** So many may be alive in its runner. */
  readonly mostAlive: number;
  readonly leave: () => void;
}

/**
 * Counts workers and isolates over all runners, in use and idle, so that they are never more than `MAX_WORKERS`. Which
 * runs may be in flight at once is not decided here: it is what lies idle that makes room, in the runners that were
 * used longest ago first. A runner itself ends what lies idle in it: see `Room`.
 */
export class Headcount {
  readonly #most: number;
  /** The one that was used longest ago first. */
  readonly #counts = new Map<Housekeeper, Count>();
  #before: Promise<unknown> = Promise.resolve();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Resolves when there is room for so many in use in a runner: at once for none.
   * @param alone whether the run has the runner to itself
   */
  async enter(runner: Housekeeper, workers: number, alone: boolean): Promise<Share> {
    if (workers === 0) return this.#count(runner, 0, alone);
    const entering = this.#before.then(async () => {
      const share = this.#count(runner, workers, alone);
      await this.#makeRoom(runner);
      return { ...share, mostAlive: this.#mostAlive(runner) };
    });
    this.#before = entering;
    return entering;
  }

  #count(runner: Housekeeper, workers: number, alone: boolean): Share {
    const count = this.#counts.get(runner) ?? { inUse: 0, busy: false };
    this.#counts.delete(runner);
    this.#counts.set(runner, count);
    count.inUse += workers;
    count.busy = alone;
    for (const known of this.#counts.keys()) if (!known.alive) this.#counts.delete(known);
    return {
      mostAlive: this.#mostAlive(runner),
      leave: () => {
        count.inUse -= workers;
        count.busy = false;
      },
    };
  }

  /** Has what lies idle in the others end, until what is in use in this one fits. */
  async #makeRoom(runner: Housekeeper): Promise<void> {
    for (const [other, { busy }] of this.#counts) {
      const excess = (this.#counts.get(runner)?.inUse ?? 0) - this.#mostAlive(runner);
      if (excess <= 0) return;
      if (other !== runner && !busy) await other.keepAtMost(Math.max(0, other.kept - excess));
    }
  }

  #mostAlive(runner: Housekeeper): number {
    return this.#most - this.#aliveBeside(runner);
  }

  #aliveBeside(runner: Housekeeper): number {
    return [...this.#counts]
      .filter(([other]) => other !== runner && other.alive)
      .reduce((sum, [other, { inUse }]) => sum + inUse + other.kept, 0);
  }
}
