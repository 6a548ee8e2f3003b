import { md5, randomBytes, sha256 } from 'k6/crypto';
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import { settings } from './settings.ts';

/**
 * Which trace was the slowest? When k6 writes its summary it knows metrics alone, no single request, and not what the
 * virtual users know. So a request has a number, its trace id follows from that number and the test's seed, and a gauge,
 * of which the summary has the maximum, holds duration and number in one. There are many gauges, taken in turn, so
 * that there are as many candidates; the slowest of all is always among them.
 */
const prefix = 'slowest_';
const gauges = Array.from({ length: 64 }, (_, index) => new Gauge(nameOf(index)));
const shown = 5;

/** 2^30 numbers, 1,000 virtual users with a million requests each, leave 23 bits of a double for the duration: 838 s. */
const numbersPerUser = 2 ** 20;
const numbers = 2 ** 30;
const durationsPerMs = 10;
const longest = 2 ** 23 - 1;

let sent = 0;

/** A request's place in the test. */
export interface Numbered {
  readonly number: number;
  /** W3C Trace Context, version 00, sampled. */
  readonly traceparent: string;
}

/** A new seed: no two tests share a trace. */
export function newSeed(): string {
  return md5(randomBytes(16), 'hex');
}

/** The next request of this virtual user. */
export function nextRequest(seed: string): Numbered {
  const number = ((exec.vu.idInTest * numbersPerUser) % numbers) + (sent % numbersPerUser);
  sent += 1;
  const parentId = sha256(`${seed}/${number}`, 'hex').slice(0, 16);
  return { number, traceparent: `00-${traceId(seed, number)}-${parentId}-01` };
}

export function noteDuration({ number }: Numbered, ms: number): void {
  const duration = Math.min(longest, Math.round(ms * durationsPerMs));
  // Requests that are slow together, for one reason, are near each other: in one user, or in users side by side.
  const turn = sent + 13 * exec.vu.idInTest;
  gauges[turn % gauges.length]?.add(duration * numbers + number);
}

export interface SlowRequest {
  /** To a tenth. */
  readonly ms: number;
  readonly traceId: string;
  readonly url: string;
}

/** The slowest requests, slowest first, from what the summary has of the gauges. */
export function slowest(
  seed: string,
  maximumOf: (metric: string) => number | undefined,
): readonly SlowRequest[] {
  return gauges
    .map((_, index) => maximumOf(nameOf(index)) ?? -1)
    .filter((maximum) => maximum >= 0)
    .toSorted((a, b) => b - a)
    .slice(0, shown)
    .map((maximum) => {
      const id = traceId(seed, maximum % numbers);
      const url = settings.traceUrlTemplate.replaceAll('{traceId}', id);
      return { ms: Math.floor(maximum / numbers) / durationsPerMs, traceId: id, url };
    });
}

export function isGaugeOfSlowest(metric: string): boolean {
  return metric.startsWith(prefix);
}

function nameOf(index: number): string {
  return `${prefix}${index}`;
}

function traceId(seed: string, number: number): string {
  return md5(`${seed}/${number}`, 'hex');
}
