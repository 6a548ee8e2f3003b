import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';

/**
 * Hands out ids that were allotted before the run, so that a task's outgoing requests could name a span that is
 * made only when the run is over. A plan holds for the next span alone; every other span gets random ids.
 */
export class PlannedIdGenerator implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #spanId: string | null = null;
  #traceId: string | null = null;

  /** The ids of the span that is started next, at once. The trace id matters only where that span has no parent. */
  plan(spanId: string, traceId: string): void {
    this.#spanId = spanId;
    this.#traceId = traceId;
  }

  /** Forgets what was planned and not used, so that no stranger's span gets it. */
  clear(): void {
    this.#spanId = null;
    this.#traceId = null;
  }

  generateSpanId(): string {
    const planned = this.#spanId;
    this.#spanId = null;
    return planned ?? this.#random.generateSpanId();
  }

  generateTraceId(): string {
    const planned = this.#traceId;
    this.#traceId = null;
    return planned ?? this.#random.generateTraceId();
  }
}
