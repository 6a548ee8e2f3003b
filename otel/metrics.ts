import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Attributes, Meter } from '@opentelemetry/api';
import { errorTable, type ErrorCode } from '../src/errors.ts';
import type { InstantNs } from '../src/record/clock.ts';
import type { RunPlan } from '../src/record/plan.ts';
import type { LlmRecord, RunRecord, TaskRecord } from '../src/record/record.ts';
import { instrumentsOf, type Instruments } from './instruments.ts';
import { benchMetric, runAttribute, semantic, taskAttribute } from './names.ts';
import type { Scrape } from './scrape.ts';

/** What is made of a run's record elsewhere. `null` where it is not known. */
export interface RunFigures {
  readonly parallelism: number | null;
  readonly efficiency: number | null;
}

/** What is looked at when metrics are read. */
export interface Watched {
  readonly admission: { readonly runsInFlight: number; readonly runsWaiting: number };
  readonly supervisor: { readonly restarts: number };
}

/** So many tasks are recorded before other work gets its turn. */
const sliceTasks = 200;

/**
 * Metrics of runs, made from their records. Labels take few values: names from the registries, states, outcomes and
 * error codes, never a key, a URL or anything else that a caller or an upstream words.
 */
export class Metrics {
  readonly #meter: Meter;
  readonly #instruments: Instruments;
  readonly #scrape: Scrape | null;

  /** @param scrape `null` where there are no metrics: then nothing is recorded */
  constructor(meter: Meter, scrape: Scrape | null, spans: () => { readonly dropped: number }) {
    this.#meter = meter;
    this.#instruments = instrumentsOf(meter);
    this.#scrape = scrape;
    // So that the first one is an increase already.
    for (const [code, { status }] of Object.entries(errorTable))
      if (status === 503 || status === 429)
        this.#instruments.runsRejected.add(0, { [semantic.errorType]: code });
    meter
      .createObservableCounter(benchMetric.spansDropped, {
        unit: '{span}',
        description: 'Spans that the collector did not get.',
      })
      .addCallback((result) => result.observe(spans().dropped));
  }

  /** All metrics in Prometheus's text format 0.0.4; a comment that says so where there are none. */
  async text(): Promise<string> {
    return this.#scrape === null ? '# OTEL_* says: no metrics.\n' : this.#scrape.text();
  }

  /** To be called once. */
  watch({ admission, supervisor }: Watched): void {
    this.#meter
      .createObservableUpDownCounter(benchMetric.runsInFlight, {
        unit: '{run}',
        description: 'Runs and comparisons that are being executed.',
      })
      .addCallback((result) => result.observe(admission.runsInFlight));
    this.#meter
      .createObservableUpDownCounter(benchMetric.runsWaiting, {
        unit: '{run}',
        description: 'Runs that wait until they are let in.',
      })
      .addCallback((result) => result.observe(admission.runsWaiting));
    this.#meter
      .createObservableCounter(benchMetric.runnerRestarts, {
        unit: '{process}',
        description:
          'Runner processes that were started in place of one that died, or was killed with its run.',
      })
      .addCallback((result) => result.observe(supervisor.restarts));
  }

  /** Counts a request for a run or comparison that was refused, by its error code. */
  rejected(code: ErrorCode): void {
    this.#instruments.runsRejected.add(1, { [semantic.errorType]: code });
  }

  /** A run began: it was let in and had its runner after so many milliseconds. */
  begun({ workload, strategy }: Pick<RunPlan, 'workload' | 'strategy'>, waitedMs: number): void {
    this.#instruments.runQueue.record(waitedMs / 1000, {
      [runAttribute.workload]: workload,
      [runAttribute.strategy]: strategy,
    });
  }

  /** Records a run and its tasks, a slice at a time. Call it when the response has been sent. */
  async ran(record: RunRecord, { parallelism, efficiency }: RunFigures): Promise<void> {
    if (this.#scrape === null) return;
    const { plan, outcome, tasks } = record;
    const labels = strategyLabels(plan);
    const { runDuration, runParallelism, runEfficiency } = this.#instruments;
    runDuration.record(seconds(record.startedAtNs, record.endedAtNs), {
      ...labels,
      ...runLabels(plan),
      [runAttribute.outcome]: outcome,
    });
    // Of a run that failed they would tell nothing of its strategy.
    if (outcome === 'ok' && parallelism !== null) runParallelism.record(parallelism, labels);
    if (outcome === 'ok' && efficiency !== null) runEfficiency.record(efficiency, labels);
    for (let first = 0; first < tasks.length; first += sliceTasks) {
      if (first > 0) await yieldToEvents();
      for (const task of tasks.slice(first, first + sliceTasks)) this.#task(task, plan, labels);
    }
  }

  #task(task: TaskRecord, plan: RunPlan, labels: Attributes): void {
    const { taskDuration, taskQueue, taskPrepare } = this.#instruments;
    const { queuedAtNs, admittedAtNs, startedAtNs, endedAtNs } = task;
    if (queuedAtNs !== null && admittedAtNs !== null)
      taskQueue.record(seconds(queuedAtNs, admittedAtNs), labels);
    if (admittedAtNs !== null && startedAtNs !== null)
      taskPrepare.record(seconds(admittedAtNs, startedAtNs), labels);
    if (startedAtNs === null || endedAtNs === null) return;
    const duration = seconds(startedAtNs, endedAtNs);
    const error = task.state === 'failed' ? { [semantic.errorType]: task.error.code } : {};
    taskDuration.record(duration, { ...labels, [taskAttribute.state]: task.state, ...error });
    // One that was cancelled had no answer whose time could be told.
    if (task.labels[semantic.genAiOperation] !== undefined && task.state !== 'cancelled')
      this.#asked(task, duration, { ...genAiLabels(task, plan), ...error });
  }

  /** A task that asked a model. */
  #asked(task: TaskRecord, duration: number, labels: Attributes): void {
    this.#instruments.genAiDuration.record(duration, labels);
    if (task.state === 'ok' && task.output.llm !== null) this.#answered(task.output.llm, labels);
  }

  #answered({ timeToFirstTokenMs, inputTokens, outputTokens }: LlmRecord, labels: Attributes): void {
    const { genAiTimeToFirstChunk, genAiTokenUsage } = this.#instruments;
    if (timeToFirstTokenMs !== null) genAiTimeToFirstChunk.record(timeToFirstTokenMs / 1000, labels);
    for (const [type, tokens] of Object.entries({ input: inputTokens, output: outputTokens }))
      if (tokens !== null) genAiTokenUsage.record(tokens, { ...labels, [semantic.genAiTokenType]: type });
  }
}

/** Labels of all that a run's tasks are counted by: few, since each combination has its own buckets. */
function strategyLabels({ workload, strategy, pool }: RunPlan): Attributes {
  return {
    [runAttribute.workload]: workload,
    [runAttribute.strategy]: strategy,
    [runAttribute.pool]: pool,
  };
}

function runLabels({ access, join, client, runtime }: RunPlan): Attributes {
  return {
    ...(access !== null && { [runAttribute.access]: access }),
    [runAttribute.join]: join,
    [runAttribute.runtime]: runtime,
    ...(client !== null && { [runAttribute.client]: client }),
  };
}

/** As the GenAI conventions have it, and the strategy. The model is the configured one. */
function genAiLabels({ labels }: TaskRecord, { strategy }: RunPlan): Attributes {
  const { genAiOperation, genAiProvider, genAiModel } = semantic;
  return {
    [genAiOperation]: labels[genAiOperation],
    [genAiProvider]: labels[genAiProvider],
    [genAiModel]: labels[genAiModel],
    [runAttribute.strategy]: strategy,
  };
}

function seconds(fromNs: InstantNs, toNs: InstantNs): number {
  return (toNs - fromNs) / 1e9;
}
