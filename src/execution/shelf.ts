import type { Idle, Room } from './room.ts';

export interface ShelfOptions<Item> {
  /** Which what lies here shares, perhaps with other shelves. */
  readonly room: Room;
  /** How long one may lie idle, in milliseconds. */
  readonly idleMs: number;
  readonly dispose: (item: Item) => Promise<void> | void;
  /** Whether it is still what it was: a process may have died where it lay. */
  readonly isAlive: (item: Item) => boolean;
}

interface Kept<Item> extends Idle {
  readonly item: Item;
  readonly eviction: NodeJS.Timeout;
}

/** What `pool=warm` keeps from run to run: each thing is in use by one task or run, or lies idle here. */
export class Shelf<Item> {
  readonly #options: ShelfOptions<Item>;
  /** The one that has lain longest first. */
  readonly #kept: Kept<Item>[] = [];

  constructor(options: ShelfOptions<Item>) {
    this.#options = options;
  }

  /** One that lies idle, or a new one. @param key all that it is made from; `null`: nothing is kept */
  takeOrMake(key: string | null, make: () => Item): { readonly item: Item; readonly reused: boolean } {
    const kept = this.take(key);
    return kept === null ? { item: make(), reused: false } : { item: kept, reused: true };
  }

  /** Lays one down for the next use, or disposes it where nothing is kept. */
  giveOrDispose(key: string | null, item: Item): void {
    if (key === null) void this.#options.dispose(item);
    else this.give(key, item);
  }

  /** The one that was in use last among those that were made alike; `null` when none lies idle. */
  take(key: string | null): Item | null {
    const kept = this.#kept.findLast((idle) => idle.key === key);
    if (kept === undefined) return null;
    this.#remove(kept);
    this.#options.room.lift(kept);
    if (this.#options.isAlive(kept.item)) return kept.item;
    void this.#options.dispose(kept.item);
    return this.take(key);
  }

  /** Lays down what is sound and may be used again. */
  give(key: string, item: Item): void {
    const { room, idleMs, dispose } = this.#options;
    const end = async (): Promise<void> => {
      this.#remove(kept);
      await dispose(item);
    };
    const eviction = setTimeout(() => void room.end(kept), idleMs).unref();
    const kept: Kept<Item> = { key, item, eviction, end };
    this.#kept.push(kept);
    room.lay(kept);
  }

  #remove(kept: Kept<Item>): void {
    clearTimeout(kept.eviction);
    this.#kept.splice(this.#kept.indexOf(kept), 1);
  }
}

/** Half a minute: longer than between a user's requests. */
export const shelfDefaults = { idleMs: 30_000, isAlive: () => true } as const;

/** So many HTTP clients lie idle at most, on each shelf. */
export const mostIdleClients = 64;

/** Names things that were made alike, by all that they were made from. */
export function keyOf(...made: readonly unknown[]): string {
  return JSON.stringify(made);
}
