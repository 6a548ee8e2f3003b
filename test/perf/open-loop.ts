import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';

export interface Overloaded {
  readonly statuses: ReadonlyMap<number, number>;
  /** How long `/healthz` took, asked for every 20 ms. */
  readonly healthMs: readonly number[];
}

const healthEveryMs = 20;

/** An open loop: asks for a path at a rate, however long answers take, and for `/healthz` beside it, for so long. */
export async function openLoop(
  url: string,
  path: string,
  perSecond: number,
  ms: number,
): Promise<Overloaded> {
  const runs = new Pool(url, { connections: 512, pipelining: 1 });
  const health = new Pool(url, { connections: 8, pipelining: 1 });
  const statuses = new Map<number, number>();
  const healthMs: number[] = [];
  const asked: Promise<void>[] = [];
  const startedMs = performance.now();
  let [sent, healthSent] = [0, 0];
  for (let passedMs = 0; passedMs < ms; passedMs = performance.now() - startedMs) {
    // What is late is sent at once, so that the rate holds.
    for (; sent < (passedMs * perSecond) / 1_000; sent += 1) {
      asked.push(ask(runs, path, (status) => statuses.set(status, (statuses.get(status) ?? 0) + 1)));
    }
    if (healthSent < passedMs / healthEveryMs) {
      healthSent += 1;
      const sentMs = performance.now();
      asked.push(ask(health, '/healthz', () => healthMs.push(performance.now() - sentMs)));
    }
    await wait(1);
  }
  await Promise.all(asked);
  await Promise.all([runs.close(), health.close()]);
  return { statuses, healthMs };
}

async function ask(pool: Pool, path: string, answered: (status: number) => void): Promise<void> {
  const { statusCode, body } = await pool.request({ path, method: 'GET' });
  await body.dump();
  answered(statusCode);
}
