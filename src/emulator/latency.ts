import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface LatencyModel {
  /** The middle of the draws; 0 answers at once. */
  readonly latencyMs: number;
  readonly seed: number;
}

/** How far a draw may lie from the middle. */
const spread = 0.2;

/**
 * How long an answer waits, in milliseconds: uniform within 20 % of the model's latency, and always the same for the
 * same seed, operation, key and attempt, so that strategies compete on identical draws.
 */
export function drawLatencyMs(
  { latencyMs, seed }: LatencyModel,
  operation: string,
  key: string,
  attempt: number,
): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, operation, key, attempt]))
    .digest();
  const uniform = digest.readUIntBE(0, 6) / 2 ** 48;
  return latencyMs * (1 - spread + 2 * spread * uniform);
}

/** Which attempt a request is, from 1, as the SDK or else a plain client says; the first when neither does. */
export function attemptOf(headers: IncomingHttpHeaders): number {
  const bySdk = /attempt=(\d+)/.exec(String(headers['amz-sdk-request'] ?? ''))?.[1];
  const byClient = /^\d+$/.exec(String(headers['x-fanout-attempt'] ?? ''))?.[0];
  return Number(bySdk ?? byClient ?? 1);
}
