import { md5, randomBytes, sha256 } from 'k6/crypto';
import { Gauge } from 'k6/metrics';
import { settings } from './settings.ts';

/**
 * Which trace was the slowest? When k6 writes its summary it knows metrics alone, no single request, and not what the
 * virtual users know. So a request has a number, from which the test tells which run it asked for; its trace id follows
 * from that number and the test's seed; and a gauge, of which the summary has the maximum, holds duration and number in
 * one. There are many gauges, taken in turn, so that there are as many candidates; the slowest of all is always among
 * them. As many as a prime: runs that are asked for in turn, too, then come to all of them.
 */
const prefix = 'slowest_';
const gauges = Array.from({ length: 61 }, (_, index) => new Gauge(nameOf(index)));
const shown = 5;

/** 2^30 numbers leave 23 bits of a double for the duration: 838 s. */
const numbers = 2 ** 30;
const durationsPerMs = 10;
const longest = 2 ** 23 - 1;

/** A new seed: no two tests share a trace. */
export function newSeed(): string {
  return md5(randomBytes(16), 'hex');
}

/** W3C Trace Context, version 00, sampled: of the request of this number, which no other of the test may have. */
export function traceparentOf(seed: string, number: number): string {
  const parentId = sha256(`${seed}/${number}`, 'hex').slice(0, 16);
  return `00-${traceIdOf(seed, number)}-${parentId}-01`;
}

export function noteDuration(number: number, ms: number): void {
  const duration = Math.min(longest, Math.round(ms * durationsPerMs));
  gauges[number % gauges.length]?.add(duration * numbers + number);
}

/** Where to look at a request. */
export interface TraceOfRun {
  /** As it was asked for. */
  readonly run: string;
  readonly traceId: string;
  readonly url: string;
}

/** @param runOf the run that the request of a number asked for */
export function traceOf(seed: string, number: number, runOf: (number: number) => string): TraceOfRun {
  const traceId = traceIdOf(seed, number);
  const url = settings.traceUrlTemplate.replaceAll('{traceId}', traceId);
  return { run: runOf(number), traceId, url };
}

export interface SlowRequest extends TraceOfRun {
  /** To a tenth. */
  readonly ms: number;
}

/** The slowest requests, slowest first, from what the summary has of the gauges. */
export function slowest(
  seed: string,
  maximumOf: (metric: string) => number | null,
  runOf: (number: number) => string,
): readonly SlowRequest[] {
  return gauges
    .map((_, index) => maximumOf(nameOf(index)) ?? -1)
    .filter((maximum) => maximum >= 0)
    .toSorted((a, b) => b - a)
    .slice(0, shown)
    .map((maximum) => {
      const ms = Math.floor(maximum / numbers) / durationsPerMs;
      return { ms, ...traceOf(seed, maximum % numbers, runOf) };
    });
}

export function isGaugeOfSlowest(metric: string): boolean {
  return metric.startsWith(prefix);
}

function nameOf(index: number): string {
  return `${prefix}${index}`;
}

function traceIdOf(seed: string, number: number): string {
  return md5(`${seed}/${number}`, 'hex');
}
