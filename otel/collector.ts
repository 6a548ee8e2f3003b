import { connectionProblem } from '../src/reachable.ts';
import type { Notices } from './notices.ts';

/**
 * What is known of the collector: whether it accepts spans, learned from every batch sent to it. Says so once when it
 * stops accepting and once when it is back, however many batches fail between.
 */
export class Collector {
  readonly url: string;
  readonly #notices: Notices;
  #accepting = true;
  /** Whether it ever took anything, as far as is known. */
  #everAccepted = false;
  /** Spans dropped since it last accepted. */
  #droppedMeanwhile = 0;
  /** Whether it took the last batch in part only. */
  #choosing = false;

  constructor(url: string, notices: Notices) {
    this.url = url;
    this.#notices = notices;
  }

  /** True until it refuses. */
  get accepting(): boolean {
    return this.#accepting;
  }

  accepted(): void {
    const again = this.#everAccepted ? 'again' : 'now';
    this.#everAccepted = true;
    if (this.#accepting) return;
    this.#accepting = true;
    const lost = this.#droppedMeanwhile;
    this.#droppedMeanwhile = 0;
    const dropped = lost === 0 ? '' : `; ${count(lost)} dropped meanwhile`;
    const message = `The collector at ${this.url} accepts spans ${again}${dropped}.`;
    this.#notices.say({ level: 'info', code: 'collector_back', message });
  }

  /** @param away whether nothing listens there, as far as is known */
  refused(reason: string, away = false): void {
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#lookForIt(away);
    const message =
      `No collector accepts spans at ${this.url} (${reason}). ` +
      'Runs work without one; their spans are dropped until there is one.';
    this.#notices.say({ level: 'warn', code: 'collector_unreachable', message });
  }

  /** Counts spans that it did not get. */
  lost(spans: number): void {
    this.#droppedMeanwhile += spans;
    if (!this.#accepting || this.#droppedMeanwhile !== spans) return;
    const message = `The collector at ${this.url} does not keep up: spans are dropped.`;
    this.#notices.say({ level: 'warn', code: 'spans_dropped', message });
  }

  /** It took a batch, but rejected so many of its spans: 0 for none. Said once until it takes all again. */
  rejected(spans: number, reason: string): void {
    if (spans > 0 && !this.#choosing) {
      const why = reason === '' ? '' : ` (${reason})`;
      const message = `The collector at ${this.url} rejects spans${why}: ${count(spans)} dropped.`;
      this.#notices.say({ level: 'warn', code: 'spans_dropped', message });
    }
    this.#choosing = spans > 0;
  }

  /**
   * Tries whether anything listens there, without waiting for a first batch. Resolves to `false`, and warns, when
   * nothing does; never rejects. Of what is no HTTP address (a gRPC socket) it assumes the best.
   */
  async probe(timeoutMs: number): Promise<boolean> {
    const reason = await this.#connectionProblem(timeoutMs);
    if (reason !== null) this.refused(reason, true);
    return reason === null;
  }

  /**
   * While nothing listens there, looks every second whether something does, so that the first run after a collector's
   * start knows of it. One that listens and yet refuses spans has to take a batch before it is trusted again.
   */
  #lookForIt(away: boolean): void {
    let wasAway = away;
    const timer = setInterval(() => void look(), lookEveryMs).unref();
    const look = async (): Promise<void> => {
      const reason = this.#accepting ? null : await this.#connectionProblem(lookEveryMs);
      wasAway ||= reason !== null;
      if (wasAway && reason === null) this.accepted();
      if (this.#accepting) clearInterval(timer);
    };
  }

  async #connectionProblem(timeoutMs: number): Promise<string | null> {
    const url = new URL(this.url);
    return url.protocol.startsWith('http') ? connectionProblem(url, timeoutMs) : null;
  }
}

const lookEveryMs = 1_000;

function count(spans: number): string {
  return spans === 1 ? '1 span was' : `${spans} spans were`;
}
