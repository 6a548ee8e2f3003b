import { failuresOf, type Failures } from './failures.ts';
import { whyNotReady } from './readiness.ts';
import { settings } from './settings.ts';
import { isGaugeOfSlowest, slowest, type SlowRequest } from './traces.ts';
import type { SetUp } from './client.ts';

/** What k6 hands to `handleSummary`, as far as it is used here. */
export interface SummaryData<Shared extends SetUp = SetUp> {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly state: { readonly testRunDurationMs: number };
  /** Missing when `setup` failed. */
  readonly setup_data?: Shared;
}

interface Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

/** What a summary needs of every trend. */
export const summaryTrendStats = ['count', 'med', 'p(95)', 'p(99)', 'max'];

/** Holds always: k6's summary has the metric by its tags only where there is a threshold on it. */
export const always = ['count>=0'];
export const alwaysOfTrend = ['max>=0'];

/** Fails a test that is to be answered in full: by 200 alone, soon enough, with every request sent when it was due. */
export function thresholds(p95Ms: number): Record<string, string[]> {
  return {
    accepted: ['rate==1'],
    dropped_iterations: ['count==0'],
    answer_ms: [`p(95)<=${p95Ms}`],
  };
}

/** A value of a metric; 0 of counters and `null` of others that had no sample. */
export function counted(data: SummaryData, metric: string): number {
  return data.metrics[metric]?.values['count'] ?? 0;
}

export function valueOf(data: SummaryData, metric: string, value: string): number | null {
  return data.metrics[metric]?.values[value] ?? null;
}

/** What a test has to say of its own. */
interface Own {
  /** The run that the request of a number asked for. */
  readonly runOf: (number: number) => string;
  readonly json?: object;
  readonly text?: string;
}

/** The numbers of a test, as JSON and text; what `handleSummary` returns. */
export function summaryOf(
  name: string,
  data: SummaryData,
  { runOf, json = {}, text = '' }: Own,
): Record<string, string> {
  const facts = factsOf(name, data, runOf);
  const written = facts.requests.sent === 0 ? textOfNothing(facts) : textOf(facts, text);
  const path = settings.summaryPath || `k6-${name}`;
  return {
    stdout: written,
    [`${path}.txt`]: written,
    [`${path}.json`]: `${JSON.stringify(facts.requests.sent === 0 ? facts : { ...facts, ...json }, null, 2)}\n`,
  };
}

interface Facts {
  readonly test: string;
  readonly passed: boolean;
  readonly durationMs: number;
  readonly requests: {
    readonly sent: number;
    readonly answered200: number;
    readonly answered503: number;
    readonly answeredOtherwise: number;
    readonly unanswered: number;
    /** Of those, the ones that found nobody listening. */
    readonly unansweredRefused: number;
    /** Due but never sent: no virtual user was free. */
    readonly dropped: number;
  };
  /** Why nothing was sent, where that is known. */
  readonly notReady: string | null;
  readonly failures: readonly Failures[];
  /** Of the answers with 200. */
  readonly answerMs: Times;
  readonly runMs: Times;
  /** None where nothing was sent, on which all would hold. */
  readonly thresholds: readonly {
    readonly metric: string;
    readonly threshold: string;
    readonly ok: boolean;
  }[];
  readonly slowest: readonly SlowRequest[];
}

/** `null` where there was no sample. */
interface Times {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

function factsOf(test: string, data: SummaryData, runOf: Own['runOf']): Facts {
  const value = (metric: string, name: string): number | null => valueOf(data, metric, name);
  const [answered200, answered503, answeredOtherwise, unanswered] = [
    counted(data, 'answered_200'),
    counted(data, 'answered_503'),
    counted(data, 'answered_otherwise'),
    counted(data, 'unanswered'),
  ];
  const sent = answered200 + answered503 + answeredOtherwise + unanswered;
  const held = sent === 0 ? [] : thresholdsOf(data);
  const seed = data.setup_data?.seed;
  return {
    test,
    passed: sent > 0 && held.every(({ ok }) => ok),
    durationMs: Math.round(data.state.testRunDurationMs),
    requests: {
      sent,
      answered200,
      answered503,
      answeredOtherwise,
      unanswered,
      unansweredRefused: counted(data, 'unanswered_refused'),
      dropped: counted(data, 'dropped_iterations'),
    },
    notReady: whyNotReady(value),
    failures: seed === undefined ? [] : failuresOf(seed, value, runOf),
    answerMs: timesOf(data, 'answer_ms'),
    runMs: timesOf(data, 'run_ms'),
    thresholds: held,
    slowest: seed === undefined ? [] : slowest(seed, (metric) => value(metric, 'max'), runOf),
  };
}

export function timesOf(data: SummaryData, metric: string): Times {
  // k6 gives zeros for one that has thresholds, and no sample.
  if (counted(data, metric) === 0) return { p50: null, p95: null, p99: null, max: null };
  const value = (name: string): number | null => valueOf(data, metric, name);
  return { p50: value('med'), p95: value('p(95)'), p99: value('p(99)'), max: value('max') };
}

function thresholdsOf({ metrics }: SummaryData): Facts['thresholds'] {
  return Object.entries(metrics)
    .filter(([metric]) => !isGaugeOfSlowest(metric))
    .flatMap(([metric, { thresholds: all = {} }]) =>
      Object.entries(all)
        .filter(([threshold]) => ![...always, ...alwaysOfTrend].includes(threshold))
        .map(([threshold, { ok }]) => ({ metric, threshold, ok })),
    );
}

function textOfNothing({ test, durationMs, notReady, requests }: Facts): string {
  const due = requests.dropped === 0 ? '' : `, though ${requests.dropped} were due`;
  return `${verdict(test, false, durationMs)}\n\nnothing was sent${due}${notReady === null ? '' : `: ${notReady}`}\n`;
}

function textOf({ test, passed, requests, answerMs, runMs, ...rest }: Facts, own: string): string {
  const { sent, answered200, answered503, answeredOtherwise, unanswered, dropped } = requests;
  const lines = [
    verdict(test, passed, rest.durationMs),
    '',
    `requests   ${sent}: ${answered200} answered with 200, ${answered503} with 503, ${answeredOtherwise} otherwise, ${unanswered} not at all`,
    `not sent   ${dropped} that were due`,
    `answer ms  ${timesText(answerMs)}`,
    `run ms     ${timesText(runMs)}`,
    ...(own === '' ? [] : ['', own]),
    '',
    ...rest.thresholds.map(
      ({ metric, threshold, ok }) => `${ok ? 'ok    ' : 'FAILED'}  ${metric} ${threshold}`,
    ),
    ...(rest.failures.length === 0 ? [] : ['', 'not 200, with the first of each']),
    ...rest.failures.map(({ code, count, first, answered }) =>
      [`${count}`.padStart(8), code, ...(answered ? [first.url] : []), first.run].join('  '),
    ),
    ...(rest.slowest.length === 0 ? [] : ['', 'slowest']),
    ...rest.slowest.map(({ ms, url, run }) => `${ms.toFixed(1).padStart(8)} ms  ${url}  ${run}`),
  ];
  return `${lines.join('\n')}\n`;
}

function verdict(test: string, passed: boolean, durationMs: number): string {
  return `${test}: ${passed ? 'passed' : 'FAILED'} after ${Math.round(durationMs / 1_000)} s`;
}

function timesText({ p50, p95, p99, max }: Times): string {
  return `p50 ${msText(p50)}, p95 ${msText(p95)}, p99 ${msText(p99)}, max ${msText(max)}`;
}

export function msText(ms: number | null): string {
  return ms === null ? '-' : ms.toFixed(1);
}

/** Rows in columns, numbers to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
