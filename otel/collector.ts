import { connect } from 'node:net';
import type { Notices } from './notices.ts';

/**
 * What is known of the collector: whether it accepts spans, learned from every batch sent to it. Says so once when it
 * stops accepting and once when it is back, however many batches fail between.
 */
export class Collector {
  readonly url: string;
  readonly #notices: Notices;
  #accepting = true;
  /** Spans dropped since it last accepted. */
  #droppedMeanwhile = 0;

  constructor(url: string, notices: Notices) {
    this.url = url;
    this.#notices = notices;
  }

  /** True until it refuses. */
  get accepting(): boolean {
    return this.#accepting;
  }

  accepted(): void {
    if (this.#accepting) return;
    this.#accepting = true;
    const lost = this.#droppedMeanwhile;
    this.#droppedMeanwhile = 0;
    const message = `The collector at ${this.url} accepts spans again; ${count(lost)} dropped meanwhile.`;
    this.#notices.say({ level: 'info', code: 'collector_back', message });
  }

  refused(reason: string): void {
    if (!this.#accepting) return;
    this.#accepting = false;
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

  /**
   * Tries whether anything listens there, without waiting for a first batch. Resolves to `false`, and warns, when
   * nothing does; never rejects. Of what is no HTTP address (a gRPC socket) it assumes the best.
   */
  async probe(timeoutMs: number): Promise<boolean> {
    const url = new URL(this.url);
    const reason = url.protocol.startsWith('http') ? await refusal(url, timeoutMs) : null;
    if (reason !== null) this.refused(reason);
    return reason === null;
  }
}

function count(spans: number): string {
  return spans === 1 ? '1 span was' : `${spans} spans were`;
}

/** Why no connection could be made; `null` when one could. */
function refusal(url: URL, timeoutMs: number): Promise<string | null> {
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/gu, ''), port, timeout: timeoutMs });
    const end = (reason: string | null): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end(`no answer within ${timeoutMs} ms`));
    socket.once('error', (error) => end(reasonOf(error)));
  });
}

/** Words for an error. Of an address that was tried twice (IPv6, IPv4) Node has only the code. */
export function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown reason';
  if (error.message !== '') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
