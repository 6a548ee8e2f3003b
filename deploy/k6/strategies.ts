/**
 * Every strategy of a workload under the same load, one after another. What `GET /compare` measures with the machine to
 * itself, this shows under a load of many runs at once: the strategy that is fastest alone need not be so then.
 *
 *     k6 run -e STRATEGIES=single,async,threads -e WORKLOAD=fib -e QUERY='tasks=4&n=22' -e RATE=2 -e DURATION=10s deploy/k6/strategies.ts
 *
 * k6 must know what it will do before it can ask a service anything: `npm run load` asks for the strategies that are
 * possible, k6 itself has to be told.
 */
import type { Options, Scenario } from 'k6/options';
import exec from 'k6/execution';
import { ask, type SetUp } from './client.ts';
import { milliseconds, names, seconds, text, wholeNumber } from './settings.ts';
import {
  always,
  alwaysOfTrend,
  columns,
  counted,
  msText,
  summaryOf,
  summaryTrendStats,
  thresholds,
  timesOf,
  type SummaryData,
} from './summary.ts';

export { setup } from './client.ts';

const workload = text('WORKLOAD', 'fib');
const query = text('QUERY', workload === 'fib' ? 'tasks=4&n=22' : '');
const rate = wholeNumber('RATE', 2);
const length = seconds('DURATION', '10s');
const strategies = names('STRATEGIES');
/** So that the last runs of one strategy are over when the next begins. */
const pauseSeconds = 2;

export const options: Options = {
  scenarios: Object.fromEntries(
    strategies.map((strategy, index): [string, Scenario] => [
      strategy,
      {
        executor: 'constant-arrival-rate',
        exec: 'run',
        startTime: `${index * (length + pauseSeconds)}s`,
        rate,
        duration: `${length}s`,
        preAllocatedVUs: wholeNumber('VUS', 50),
      },
    ]),
  ),
  thresholds: {
    ...thresholds(milliseconds('P95_MS', 5_000)),
    ...Object.fromEntries(
      strategies.flatMap((strategy) => [
        [`answered_200{scenario:${strategy}}`, always],
        [`answer_ms{scenario:${strategy}}`, alwaysOfTrend],
        [`run_ms{scenario:${strategy}}`, alwaysOfTrend],
      ]),
    ),
  },
  summaryTrendStats,
};

export function run(shared: SetUp): void {
  const { name, iterationInTest } = exec.scenario;
  const number = iterationInTest * strategies.length + strategies.indexOf(name);
  ask(runOf(number), shared, { number });
}

function runOf(number: number): string {
  const strategy = strategies[number % strategies.length] ?? '';
  return `/bench/${workload}?strategy=${strategy}${query === '' ? '' : `&${query}`}`;
}

export function handleSummary(data: SummaryData): Record<string, string> {
  const results = strategies.map((strategy) => ({
    strategy,
    answered200: counted(data, `answered_200{scenario:${strategy}}`),
    runMs: timesOf(data, `run_ms{scenario:${strategy}}`),
    answerMs: timesOf(data, `answer_ms{scenario:${strategy}}`),
  }));
  const rows = results
    .toSorted((a, b) => (a.runMs.p50 ?? Infinity) - (b.runMs.p50 ?? Infinity))
    .map(({ strategy, answered200, runMs, answerMs }) => [
      strategy,
      `${answered200}`,
      msText(runMs.p50),
      msText(runMs.p95),
      msText(answerMs.p50),
      msText(answerMs.p95),
    ]);
  const head = ['strategy', 'runs', 'run p50 ms', 'p95', 'answer p50 ms', 'p95'];
  return summaryOf('strategies', data, {
    runOf,
    json: { strategies: results },
    text: columns([head, ...rows]),
  });
}
