/**
 * What ends every run at once. `AbortSignal.any` would do it too, but keeps a weak reference to each run's signal in the one that
 * outlives them all, which the garbage collector has to look after: a fiftieth of the service's time under load.
 */
export class Ending {
  readonly #live = new Set<AbortController>();
  readonly #all = new AbortController();

  /** Gives `work` a signal that fires with the client's, or with the end of all. */
  async withSignal<Result>(
    clientSignal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const controller = new AbortController();
    const follow = (): void => controller.abort(clientSignal.reason);
    if (this.#all.signal.aborted) controller.abort(this.#all.signal.reason);
    else if (clientSignal.aborted) follow();
    clientSignal.addEventListener('abort', follow, { once: true });
    this.#live.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#live.delete(controller);
      clientSignal.removeEventListener('abort', follow);
    }
  }

  /** Ends all that there is, and what is to come, with this reason. */
  end(reason: unknown): void {
    this.#all.abort(reason);
    for (const controller of this.#live) controller.abort(reason);
  }
}
