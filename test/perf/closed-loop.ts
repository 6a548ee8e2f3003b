import { Pool } from 'undici';
import { percentile } from './statistics.ts';

/** What came of asking for so long. */
export interface Loaded {
  /** Time over answers: 1,000 divided by it are answers a second. */
  readonly msPerAnswer: number;
  readonly p99Ms: number;
}

/** A closed loop: so many connections, each of which sends its next request when the last one has its answer. */
export class ClosedLoop {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #connections: number;

  constructor(url: string, path: string, connections: number) {
    this.#pool = new Pool(url, { connections, pipelining: 1 });
    this.#path = path;
    this.#connections = connections;
  }

  /**
   * Asks for that long.
   * @throws Error when an answer is not 200
   */
  async during(ms: number): Promise<Loaded> {
    const tookMs: number[] = [];
    const startedMs = performance.now();
    const connection = async (): Promise<void> => {
      while (performance.now() - startedMs < ms) tookMs.push(await this.#ask());
    };
    await Promise.all(Array.from({ length: this.#connections }, connection));
    return {
      msPerAnswer: (performance.now() - startedMs) / tookMs.length,
      p99Ms: percentile(tookMs, 99),
    };
  }

  async #ask(): Promise<number> {
    const startedMs = performance.now();
    const { statusCode, body } = await this.#pool.request({ path: this.#path, method: 'GET' });
    const text = await body.text();
    const tookMs = performance.now() - startedMs;
    if (statusCode !== 200) throw new Error(`${this.#path} gave ${statusCode}: ${text}`);
    return tookMs;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
