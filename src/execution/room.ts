/** A thing that lies idle. */
export interface Idle {
  /** All that it was made from. */
  readonly key: string;
  /** Resolves when nothing of it is left. */
  readonly end: () => Promise<void> | void;
}

/**
 * How many things may be alive at once, on however many shelves: those that runs have reserved and those that lie idle.
 * What has lain longest makes room.
 */
export class Room {
  readonly #mostIdle: number;
  /** The one that has lain longest first. */
  readonly #idle = new Set<Idle>();
  readonly #ending = new Set<Promise<void>>();
  #reserved = 0;
  /** Told how many lie idle when some were ended, for whatever reason but a reservation. */
  onFewer: (idle: number) => void = () => undefined;

  constructor(mostIdle = Infinity) {
    this.#mostIdle = mostIdle;
  }

  /** How many lie idle. */
  get idle(): number {
    return this.#idle.size;
  }

  /**
   * Resolves when `count` may be taken or made without there being more than `mostAlive`: what has to go is dead by then.
   * @param key of the idle ones that will be taken; `null`: all will be new
   * @returns gives the room back, when none of them is in use any more
   */
  async reserve(count: number, key: string | null, mostAlive: number): Promise<() => void> {
    this.#reserved += count;
    const wanted = new Set([...this.#idle].filter((idle) => idle.key === key).slice(-count));
    await this.#endOldest(mostAlive - this.#reserved, wanted);
    return () => {
      this.#reserved -= count;
    };
  }

  /** Ends what has lain longest until no more than this lie idle, and says so when they are dead. */
  async keepAtMost(most: number): Promise<void> {
    await this.#endOldest(most, new Set());
    this.onFewer(this.idle);
  }

  lay(idle: Idle): void {
    this.#idle.add(idle);
    if (this.#idle.size > this.#mostIdle) void this.keepAtMost(this.#mostIdle);
  }

  /** Whoever takes it up has reserved room for it. */
  lift(idle: Idle): void {
    this.#idle.delete(idle);
  }

  /** Ends one that lies idle. */
  async end(idle: Idle): Promise<void> {
    this.#begin(idle);
    await this.#ended();
    this.onFewer(this.idle);
  }

  /** Until so many are left, those that are wanted not counted. */
  async #endOldest(most: number, wanted: ReadonlySet<Idle>): Promise<void> {
    const others = [...this.#idle].filter((idle) => !wanted.has(idle));
    for (const idle of others.slice(0, Math.max(0, others.length - Math.max(0, most)))) this.#begin(idle);
    await this.#ended();
  }

  #begin(idle: Idle): void {
    this.#idle.delete(idle);
    const ending = Promise.resolve(idle.end()).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #ended(): Promise<void> {
    await Promise.allSettled(this.#ending);
  }
}

/** Of all workers and isolates of this process. */
export const workersRoom = new Room();
