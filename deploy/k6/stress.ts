/**
 * Finds the knee, and goes beyond it: the rate doubles every DURATION from RATE to MAX_RATE, whatever becomes of the
 * runs. The knee is the highest rate up to which 99 % of the runs that were due were answered with 200, 95 % of them
 * within P95_MS. Beyond it a service that guards itself still answers every request, with 200 or with 503 at once, and is
 * alive all the time: that is what fails the test.
 *
 * A run that is due but not sent (dropped_iterations) does not fail it: where answers take longer than the virtual users
 * last, it is part of what lies beyond the knee, and a rate at which it happens does not hold.
 *
 *     k6 run -e RATE=10 -e MAX_RATE=320 -e DURATION=10s deploy/k6/stress.ts
 */
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { ask, askHealth, type SetUp } from './client.ts';
import { milliseconds, runs, seconds, wholeNumber } from './settings.ts';
import {
  always,
  alwaysOfTrend,
  columns,
  counted,
  msText,
  summaryOf,
  summaryTrendStats,
  timesOf,
  type SummaryData,
} from './summary.ts';

export { setup } from './client.ts';

const stepSeconds = seconds('DURATION', '10s');
const p95Ms = milliseconds('P95_MS', 1_000);
const rates = doubling(wholeNumber('RATE', 10), wholeNumber('MAX_RATE', 320));
const paths = runs(['/bench/s3?strategy=presigned-async']);

export const options: Options = {
  scenarios: {
    rising: {
      executor: 'ramping-arrival-rate',
      exec: 'run',
      startRate: rates[0] ?? 1,
      // A step: at once to the rate, and there it stays.
      stages: rates.flatMap((target) => [
        { duration: '0s', target },
        { duration: `${stepSeconds}s`, target },
      ]),
      preAllocatedVUs: wholeNumber('VUS', 200),
    },
    health: {
      executor: 'constant-arrival-rate',
      exec: 'health',
      rate: 10,
      duration: `${stepSeconds * rates.length}s`,
      preAllocatedVUs: 10,
    },
  },
  thresholds: {
    accepted: ['rate==1'],
    healthy: ['rate==1'],
    'dropped_iterations{scenario:health}': ['count==0'],
    ...Object.fromEntries(
      rates.flatMap((rate) => [
        [`answered_200{rate:${rate}}`, always],
        [`answered_503{rate:${rate}}`, always],
        [`answer_ms{rate:${rate}}`, alwaysOfTrend],
      ]),
    ),
  },
  summaryTrendStats,
};

export function run(shared: SetUp): void {
  const step = Math.floor((Date.now() - exec.scenario.startTime) / (stepSeconds * 1_000));
  const rate = String(rates[Math.min(step, rates.length - 1)]);
  const number = exec.scenario.iterationInTest;
  ask(runOf(number), shared, { number, busyIsAccepted: true, tags: { rate } });
}

function runOf(number: number): string {
  return paths[number % paths.length] ?? '';
}

export function health(): void {
  askHealth();
}

export function handleSummary(data: SummaryData): Record<string, string> {
  const steps = rates.map((rate) => stepOf(data, rate));
  const broken = steps.findIndex(({ holds }) => !holds);
  const knee = broken < 0 ? null : (steps[broken - 1]?.rate ?? 0);
  const healthMs = timesOf(data, 'health_ms');
  const rows = steps.map(({ rate, due, ok, busy, answerMs, holds }) => [
    `${rate}`,
    `${due}`,
    `${ok}`,
    `${busy}`,
    msText(answerMs.p50),
    msText(answerMs.p95),
    holds ? 'holds' : '-',
  ]);
  const text = [
    columns([['a second', 'due', '200', '503', 'p50 ms', 'p95 ms', ''], ...rows]),
    '',
    knee === null
      ? `no knee up to ${rates.at(-1)} a second: set MAX_RATE higher`
      : knee === 0
        ? `the knee is below ${rates[0]} a second: set RATE lower`
        : `the knee is at ${knee} a second`,
    `/healthz   p50 ${msText(healthMs.p50)}, p99 ${msText(healthMs.p99)} ms`,
  ].join('\n');
  return summaryOf('stress', data, { runOf, json: { steps, knee, healthMs }, text });
}

function stepOf(data: SummaryData, rate: number) {
  const due = rate * stepSeconds;
  const ok = counted(data, `answered_200{rate:${rate}}`);
  const busy = counted(data, `answered_503{rate:${rate}}`);
  const answerMs = timesOf(data, `answer_ms{rate:${rate}}`);
  // One may fall into the step before or after.
  const holds = ok >= 0.99 * due - 1 && answerMs.p95 !== null && answerMs.p95 <= p95Ms;
  return { rate, due, ok, busy, answerMs, holds };
}

/** @throws Error that names both variables when there is no rate to begin with */
function doubling(from: number, to: number): readonly number[] {
  if (from > to) throw new Error(`MAX_RATE: "${to}" is not valid; expected a number from RATE, ${from}, up.`);
  return 2 * from > to ? [from] : [from, ...doubling(2 * from, to)];
}
