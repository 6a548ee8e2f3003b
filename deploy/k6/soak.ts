/**
 * A moderate load of mixed runs for a long time: does it stay as it was?
 *
 *     k6 run -e DURATION=10m -e RATE=5 deploy/k6/soak.ts
 */
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { ask, type SetUp } from './client.ts';
import { milliseconds, runs, seconds, wholeNumber } from './settings.ts';
import {
  alwaysOfTrend,
  columns,
  msText,
  summaryOf,
  summaryTrendStats,
  thresholds,
  timesOf,
  type SummaryData,
} from './summary.ts';

export { setup } from './client.ts';

const length = seconds('DURATION', '10m');
const parts = ['first third', 'second third', 'last third'];
const paths = runs([
  '/bench/sleep?strategy=async&ms=20',
  '/bench/s3?strategy=presigned-async',
  '/bench/fib?strategy=threads&tasks=2&n=20',
  '/bench/s3?strategy=sdk-async',
  '/bench/bedrock?strategy=presigned-async',
  '/bench/fib?strategy=isolate-threads&tasks=2&n=20',
  '/bench/http?strategy=async',
  '/bench/sts?strategy=presigned-async',
  '/bench/fib?strategy=threads&pool=warm&tasks=2&n=20',
  '/bench/s3?strategy=presigned-async&pool=warm&client=undici',
]);

export const options: Options = {
  scenarios: {
    soak: {
      executor: 'constant-arrival-rate',
      exec: 'run',
      rate: wholeNumber('RATE', 5),
      duration: `${length}s`,
      preAllocatedVUs: wholeNumber('VUS', 100),
    },
  },
  thresholds: {
    ...thresholds(milliseconds('P95_MS', 2_000)),
    ...Object.fromEntries(parts.map((part) => [`answer_ms{part:${part}}`, alwaysOfTrend])),
  },
  summaryTrendStats,
};

export function run(shared: SetUp): void {
  const passed = (Date.now() - exec.scenario.startTime) / (length * 1_000);
  const part = parts[Math.min(parts.length - 1, Math.floor(passed * parts.length))] ?? '';
  const number = exec.scenario.iterationInTest;
  ask(runOf(number), shared, { number, tags: { part } });
}

function runOf(number: number): string {
  return paths[number % paths.length] ?? '';
}

export function handleSummary(data: SummaryData): Record<string, string> {
  const thirds = parts.map((part) => ({ part, answerMs: timesOf(data, `answer_ms{part:${part}}`) }));
  const rows = thirds.map(({ part, answerMs }) => [part, msText(answerMs.p50), msText(answerMs.p95)]);
  return summaryOf('soak', data, {
    runOf,
    json: { thirds },
    text: columns([['answers', 'p50 ms', 'p95 ms'], ...rows]),
  });
}
