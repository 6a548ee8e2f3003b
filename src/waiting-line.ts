/** What one who waits wants. */
export interface Turn {
  /** Whether there is room for it now. */
  readonly fits: () => boolean;
  /** Takes that room, so that the next one is asked what is left. */
  readonly take: () => void;
}

interface Place extends Turn {
  readonly enter: () => void;
  readonly turnAway: (error: Error) => void;
}

/** Lets in who waits, first come, first served: one for whom there is no room yet holds up those behind. */
export class WaitingLine {
  #places: Place[] = [];

  /** How many wait. */
  get length(): number {
    return this.#places.length;
  }

  /**
   * Resolves when the room is taken: at once where it is there and nobody waits.
   * @throws the signal's reason when it fires first; the error of {@link turnAway}
   */
  async enter(turn: Turn, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#places.length === 0 && turn.fits()) return turn.take();
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
    for (let first = this.#places[0]; first?.fits() === true; first = this.#places[0]) {
      this.#places.shift();
      first.take();
      first.enter();
    }
  }

  /** Sends everyone who waits away with this error. */
  turnAway(error: Error): void {
    for (const place of this.#places.splice(0)) place.turnAway(error);
  }
}
