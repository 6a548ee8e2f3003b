import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { z } from 'zod';
import { runSchema } from '../../src/http/schemas.ts';

export interface TimedRun {
  /** From the request to the last byte of the answer. */
  readonly wallMs: number;
  readonly run: z.infer<typeof runSchema>;
}

/** A client with one connection that it keeps, as a user's load generator has. */
export class TimedClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = url;
  }

  /** A run that must be ok. The body is read whole, but parsed outside the time. */
  async run(path: string): Promise<TimedRun> {
    const { wallMs, text } = await this.get(path);
    return { wallMs, run: runSchema.parse(JSON.parse(text)) };
  }

  /** A request that must be answered with 200. */
  async get(path: string): Promise<{ readonly wallMs: number; readonly text: string }> {
    const startedMs = performance.now();
    const outgoing = request(this.#url + path, { agent: this.#agent }).end();
    const [response] = await once(outgoing, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const wallMs = performance.now() - startedMs;
    const text = Buffer.concat(chunks).toString();
    if (response.statusCode !== 200) throw new Error(`${path} gave ${response.statusCode}: ${text}`);
    return { wallMs, text };
  }

  close(): void {
    this.#agent.destroy();
  }
}
