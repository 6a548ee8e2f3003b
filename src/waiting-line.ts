/** What one who waits wants. */
export interface Turn {
  /** What it needs room in. */
  readonly needs: readonly string[];
  /** Which of these has no room for it now; `null`: none, it may come in. */
  readonly lacks: () => string | null;
  /** Takes that room, so that the next one is asked what is left. */
  readonly take: () => void;
}

interface Place extends Turn {
  readonly enter: () => void;
  readonly turnAway: (error: Error) => void;
}

/**
 * Lets in who waits, first come, first served: one that lacks something holds up those behind that need the same, so that
 * they do not pass it for ever, and nobody else.
 */
export class WaitingLine {
  #places: Place[] = [];

  /** How many wait. */
  get length(): number {
    return this.#places.length;
  }

  /**
   * Resolves when the room is taken: at once where it is there and nobody waits for the same.
   * @throws the signal's reason when it fires first; the error of {@link turnAway}
   */
  async enter(turn: Turn, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#places.length === 0 && turn.lacks() === null) return turn.take();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const place = { ...turn, enter: resolve, turnAway: reject };
    const leave = (): void => {
      this.#places = this.#places.filter((other) => other !== place);
      reject(signal?.reason);
      this.letIn();
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#places.push(place);
    this.letIn();
    await promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  /** Lets in who may; to be called when there is more room. */
  letIn(): void {
    if (this.#places.length === 0) return;
    const lacking = new Set<string>();
    this.#places = this.#places.filter((place) => {
      if (place.needs.some((need) => lacking.has(need))) return true;
      const lack = place.lacks();
      if (lack === null) {
        place.take();
        place.enter();
        return false;
      }
      lacking.add(lack);
      return true;
    });
  }

  /** Sends everyone who waits away with this error. */
  turnAway(error: Error): void {
    for (const place of this.#places.splice(0)) place.turnAway(error);
  }
}

/** The turn of one among many that all need room in the same. */
export function turnOf(fits: () => boolean, take: () => void): Turn {
  return { needs: [theRoom], lacks: () => (fits() ? null : theRoom), take };
}

const theRoom = 'room';
