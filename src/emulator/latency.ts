import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface LatencyModel {
  /** The middle of the draws; 0 answers at once. */
  readonly latencyMs: number;
  readonly seed: number;
}

/** How fast a model writes. */
export interface TokenPace {
  readonly firstTokenMs: number;
  readonly perTokenMs: number;
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
  const uniform = uniformDraw([seed, operation, key, attempt]);
  return latencyMs * (1 - spread + 2 * spread * uniform);
}

/**
 * How fast the answer to one call is written, in milliseconds: two independent draws from log-normals whose medians
 * are 10 times the model's latency (to the first token) and a sixth of it (a token), fixed as in `drawLatencyMs`.
 */
export function drawTokenPace(
  { latencyMs, seed }: LatencyModel,
  family: string,
  key: string,
  attempt: number,
): TokenPace {
  const digest = digestOf([seed, family, key, attempt, 'tokens']);
  return {
    firstTokenMs: latencyMs * 10 * logNormal(uniformAt(digest, 0), uniformAt(digest, 6)),
    perTokenMs: (latencyMs / 6) * logNormal(uniformAt(digest, 12), uniformAt(digest, 18)),
  };
}

/** A number from 0 to 1 (exclusive) that is always the same for the same parts. */
export function uniformDraw(parts: readonly (string | number)[]): number {
  return uniformAt(digestOf(parts), 0);
}

/** Which attempt a request is, from 1, as the SDK or else a plain client says; the first when neither does. */
export function attemptOf(headers: IncomingHttpHeaders): number {
  const bySdk = /attempt=(\d+)/.exec(String(headers['amz-sdk-request'] ?? ''))?.[1];
  const byClient = /^\d+$/.exec(String(headers['x-fanout-attempt'] ?? ''))?.[0];
  return Number(byClient ?? bySdk ?? 1);
}

/** Of the log-normals: 5 of 100 draws are above 1.5 times the median. */
const sigma = 0.25;

/** With median 1; a normal draw by the Box-Muller transform of two uniform ones. */
function logNormal(first: number, second: number): number {
  // 1 - first is never 0, so its logarithm is finite.
  const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
  return Math.exp(sigma * normal);
}

function digestOf(parts: readonly (string | number)[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function uniformAt(digest: Buffer, offset: number): number {
  return digest.readUIntBE(offset, 6) / 2 ** 48;
}
