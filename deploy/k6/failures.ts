import { Counter, Gauge } from 'k6/metrics';
import { failureCodes, noAnswerCodes } from './codes.ts';
import { traceOf, type TraceOfRun } from './traces.ts';

/**
 * How many requests were not answered with 200, by their code, with the first of each. Virtual users share nothing but
 * metrics, so each would log failures of its own: thousands of lines that say the same. A counter has how many there
 * were, and a gauge, of which the summary has the minimum, the number of the first (see traces.ts).
 */
const metrics = new Map(
  failureCodes.map((code) => [code, { count: new Counter(countOf(code)), first: new Gauge(firstOf(code)) }]),
);

export function noteFailure(code: string, number: number): void {
  const noted = metrics.get(code);
  noted?.count.add(1);
  noted?.first.add(number);
}

export interface Failures {
  readonly code: string;
  readonly count: number;
  readonly first: TraceOfRun;
  /** Without an answer nothing may have been traced. */
  readonly answered: boolean;
}

/** From what the summary has of the metrics, the most frequent first. */
export function failuresOf(
  seed: string,
  valueOf: (metric: string, value: string) => number | null,
  runOf: (number: number) => string,
): readonly Failures[] {
  return failureCodes
    .map((code) => {
      const count = valueOf(countOf(code), 'count') ?? 0;
      const first = traceOf(seed, valueOf(firstOf(code), 'min') ?? 0, runOf);
      return { code, count, first, answered: !noAnswerCodes.includes(code) };
    })
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count);
}

function countOf(code: string): string {
  return `failures_${code}`;
}

function firstOf(code: string): string {
  return `first_failure_${code}`;
}
