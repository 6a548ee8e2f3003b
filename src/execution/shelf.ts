export interface ShelfLimits<Item> {
  /** So many lie idle at most; the one that has lain longest makes room. */
  readonly mostIdle: number;
  /** How long one may lie idle, in milliseconds. */
  readonly idleMs: number;
  readonly dispose: (item: Item) => void;
  /** Whether it is still what it was: a process may have died where it lay. */
  readonly isAlive: (item: Item) => boolean;
}

interface Idle<Item> {
  readonly key: string;
  readonly item: Item;
  readonly eviction: NodeJS.Timeout;
}

/** What `pool=warm` keeps from run to run: each thing is in use by one task or run, or lies idle here. */
export class Shelf<Item> {
  readonly #limits: ShelfLimits<Item>;
  /** The one that has lain longest first. */
  readonly #idle: Idle<Item>[] = [];
  #mostAlive = Infinity;
  #inUse = 0;

  constructor(limits: ShelfLimits<Item>) {
    this.#limits = limits;
  }

  /** What is in use and what lies idle are no more than this together: idle ones make room, those in use never. */
  limit(mostAlive: number): void {
    this.#mostAlive = mostAlive;
  }

  /** One that lies idle, or a new one. @param key all that it is made from; `null`: nothing is kept */
  takeOrMake(key: string | null, make: () => Item): { readonly item: Item; readonly reused: boolean } {
    const kept = this.take(key);
    return kept === null ? { item: make(), reused: false } : { item: kept, reused: true };
  }

  /** Lays one down for the next use, or disposes it where nothing is kept. */
  giveOrDispose(key: string | null, item: Item): void {
    if (key !== null) return this.give(key, item);
    this.release();
    this.#limits.dispose(item);
  }

  /**
   * The one that was in use last among those that were made alike. `null` when none lies idle: then there is room for a
   * new one. It is to be given back, or released.
   */
  take(key: string | null): Item | null {
    this.#inUse += 1;
    const kept = key === null ? null : this.#takeSound(key);
    this.#makeRoom();
    return kept;
  }

  /** Lays down what was taken, is sound and may be used again. */
  give(key: string, item: Item): void {
    this.release();
    const eviction = setTimeout(() => this.#evict(kept), this.#limits.idleMs).unref();
    const kept: Idle<Item> = { key, item, eviction };
    this.#idle.push(kept);
    this.#makeRoom();
  }

  /** What was taken is no more. */
  release(): void {
    this.#inUse -= 1;
  }

  #takeSound(key: string): Item | null {
    const kept = this.#idle.findLast((idle) => idle.key === key);
    if (kept === undefined) return null;
    clearTimeout(kept.eviction);
    this.#idle.splice(this.#idle.indexOf(kept), 1);
    if (this.#limits.isAlive(kept.item)) return kept.item;
    this.#limits.dispose(kept.item);
    return this.#takeSound(key);
  }

  #makeRoom(): void {
    const most = Math.min(this.#limits.mostIdle, this.#mostAlive - this.#inUse);
    for (
      let oldest = this.#idle[0];
      oldest !== undefined && this.#idle.length > most;
      oldest = this.#idle[0]
    ) {
      this.#evict(oldest);
    }
  }

  #evict(kept: Idle<Item>): void {
    clearTimeout(kept.eviction);
    this.#idle.splice(this.#idle.indexOf(kept), 1);
    this.#limits.dispose(kept.item);
  }
}

/** As many workers as may be alive at once by default, for half a minute: longer than between a user's requests. */
export const shelfLimits = { mostIdle: 64, idleMs: 30_000, isAlive: () => true } as const;

/** Names things that were made alike, by all that they were made from. */
export function keyOf(...made: readonly unknown[]): string {
  return JSON.stringify(made);
}
