/**
 * An open model: runs arrive at RATE a second whether or not earlier ones have been answered, for DURATION; then for as
 * long at a rate that rises to twice as many and falls to nothing.
 *
 *     k6 run -e RATE=10 -e DURATION=30s deploy/k6/load.ts
 */
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { ask, type SetUp } from './client.ts';
import { milliseconds, runs, seconds, wholeNumber } from './settings.ts';
import { summaryOf, summaryTrendStats, thresholds, type SummaryData } from './summary.ts';

export { setup } from './client.ts';

const rate = wholeNumber('RATE', 10);
const length = seconds('DURATION', '30s');
const paths = runs(['/bench/s3?strategy=presigned-async']);
const preAllocatedVUs = wholeNumber('VUS', 100);

export const options: Options = {
  scenarios: {
    constant: {
      executor: 'constant-arrival-rate',
      exec: 'run',
      rate,
      duration: `${length}s`,
      preAllocatedVUs,
    },
    ramping: {
      executor: 'ramping-arrival-rate',
      exec: 'run',
      startTime: `${length}s`,
      startRate: rate,
      stages: [
        { duration: `${length / 2}s`, target: 2 * rate },
        { duration: `${length / 2}s`, target: 0 },
      ],
      preAllocatedVUs,
    },
  },
  thresholds: thresholds(milliseconds('P95_MS', 1_000)),
  summaryTrendStats,
};

export function run(shared: SetUp): void {
  const { name, iterationInTest } = exec.scenario;
  const number = 2 * iterationInTest + (name === 'ramping' ? 1 : 0);
  ask(runOf(number), shared, { number });
}

/** Each of the two parts begins with the first one. */
function runOf(number: number): string {
  return paths[Math.floor(number / 2) % paths.length] ?? '';
}

export function handleSummary(data: SummaryData): Record<string, string> {
  return summaryOf('load', data, { runOf });
}
