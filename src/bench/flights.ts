/** A run that is being executed. */
export interface Flight {
  /** How many other runs were in flight at some time during this one. */
  readonly others: number;
  end(): void;
}

/** Knows which runs disturb each other. */
export class Flights {
  readonly #inFlight = new Set<{ others: number }>();

  begin(): Flight {
    const flight = { others: this.#inFlight.size };
    for (const other of this.#inFlight) other.others += 1;
    this.#inFlight.add(flight);
    return {
      get others() {
        return flight.others;
      },
      end: () => void this.#inFlight.delete(flight),
    };
  }
}
