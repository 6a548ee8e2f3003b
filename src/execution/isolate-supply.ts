import { disposeIsolate, makeIsolate, makeIsolateHere, type ReadyIsolate } from './isolate-run.ts';
import { workersRoom } from './room.ts';
import { keyOf, Shelf, shelfDefaults } from './shelf.ts';

/** `here` is the calling thread; `own` is one of isolated-vm's threads. */
export type IsolateThread = 'here' | 'own';

const shelf = new Shelf<ReadyIsolate>({
  ...shelfDefaults,
  room: workersRoom,
  dispose: disposeIsolate,
  isAlive: ({ isolate }) => !isolate.isDisposed,
});

/** Where the tasks of a run get their isolates: a fresh one each, or with `keep` one that an earlier task left. */
export class IsolateSupply {
  readonly #source: string;
  readonly #key: string;
  readonly #thread: IsolateThread;
  readonly #keep: boolean;
  readonly #madeHere = new WeakSet<ReadyIsolate>();

  /** @param purpose only isolates that were made for the same are used again */
  constructor(source: string, purpose: string, thread: IsolateThread, keep: boolean) {
    this.#source = source;
    this.#key = keyOf(source, purpose);
    this.#thread = thread;
    this.#keep = keep;
  }

  /** Makes room for so many at once: see {@link workersRoom}. */
  async reserve(count: number, mostAlive: number): Promise<() => void> {
    return workersRoom.reserve(count, this.#keep ? this.#key : null, mostAlive);
  }

  /**
   * `reused` says that it was there before the run.
   * @throws Error when the signal fires while one is made
   */
  async take(signal: AbortSignal): Promise<{ readonly ready: ReadyIsolate; readonly reused: boolean }> {
    const kept = shelf.take(this.#keep ? this.#key : null);
    if (kept !== null) return { ready: kept, reused: !this.#madeHere.has(kept) };
    const ready =
      this.#thread === 'here' ? makeIsolateHere(this.#source) : await makeIsolate(this.#source, signal);
    this.#madeHere.add(ready);
    return { ready, reused: false };
  }

  /** @param sound whether it did what it was asked, and nothing of the task can still be running in it */
  give(ready: ReadyIsolate, sound: boolean): void {
    if (this.#keep && sound && !ready.isolate.isDisposed) return shelf.give(this.#key, ready);
    disposeIsolate(ready);
  }
}
