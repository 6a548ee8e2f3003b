import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import { benchMetric, semanticMetric } from './names.ts';

/** What is recorded of runs, by instrument. Durations in seconds. */
export interface Instruments {
  readonly runDuration: Histogram;
  readonly runQueue: Histogram;
  readonly runParallelism: Histogram;
  readonly runEfficiency: Histogram;
  readonly taskDuration: Histogram;
  readonly taskQueue: Histogram;
  readonly taskPrepare: Histogram;
  readonly runsRejected: Counter;
  readonly genAiDuration: Histogram;
  readonly genAiTimeToFirstChunk: Histogram;
  readonly genAiTokenUsage: Histogram;
}

export function instrumentsOf(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, description: string, boundaries: number[]): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: boundaries } });
  return {
    runDuration: histogram(
      benchMetric.runDuration,
      's',
      'Duration of a run, from signing or the fan-out to the join.',
      runSeconds,
    ),
    runQueue: histogram(
      benchMetric.runQueue,
      's',
      'Time that a run waited until it was let in and had a runner, before its start.',
      runSeconds,
    ),
    runParallelism: histogram(
      benchMetric.runParallelism,
      '1',
      'Tasks of a run that were really under way at once, on average.',
      parallelTasks,
    ),
    runEfficiency: histogram(
      benchMetric.runEfficiency,
      '1',
      'Physical limit of a run over its duration; 1 is perfect.',
      shares,
    ),
    taskDuration: histogram(
      benchMetric.taskDuration,
      's',
      'Time that a task ran, without its wait and the making of what it ran in.',
      runSeconds,
    ),
    taskQueue: histogram(
      benchMetric.taskQueue,
      's',
      'Time that a task waited for a slot, from the start of the fan-out.',
      waitSeconds,
    ),
    taskPrepare: histogram(
      benchMetric.taskPrepare,
      's',
      "Time that the making or fetching of a task's worker or isolate took.",
      waitSeconds,
    ),
    runsRejected: meter.createCounter(benchMetric.runsRejected, {
      unit: '{run}',
      description: 'Requests for a run or comparison that were refused before anything ran.',
    }),
    genAiDuration: histogram(semanticMetric.genAiDuration, 's', 'GenAI operation duration.', genAiSeconds),
    genAiTimeToFirstChunk: histogram(
      semanticMetric.genAiTimeToFirstChunk,
      's',
      'Time to receive the first chunk of a streamed answer, from the request on.',
      genAiSeconds,
    ),
    genAiTokenUsage: histogram(
      semanticMetric.genAiTokenUsage,
      '{token}',
      'Number of input and output tokens used.',
      genAiTokens,
    ),
  };
}

/** 1, 2 and 5 times each power of ten: from 1 ms, what a short run takes, to 50 s. */
const runSeconds = [0.001, 0.01, 0.1, 1, 10].flatMap((power) => [power, 2 * power, 5 * power]);
/** From 0.1 ms, since a warm worker is fetched in less than one, and coarser. */
const waitSeconds = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const parallelTasks = [0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128];
const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** The boundaries that the GenAI conventions ask for, the first for all durations at the client. */
const genAiSeconds = Array.from({ length: 14 }, (_, index) => 0.01 * 2 ** index);
const genAiTokens = Array.from({ length: 14 }, (_, index) => 4 ** index);
