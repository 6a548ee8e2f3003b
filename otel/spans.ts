import { setImmediate as yieldToEvents } from 'node:timers/promises';
import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Attributes,
  type HrTime,
  type Link,
  type SpanStatus,
} from '@opentelemetry/api';
import { cleanAttributes, hrTimeDuration } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ClockAnchor, InstantNs } from '../src/record/clock.ts';
import type { RunPlan } from '../src/record/plan.ts';
import type { RunRecord, TaskRecord } from '../src/record/record.ts';
import { linkTo } from './comparison-spans.ts';
import type { AttributeLimits } from './environment.ts';
import { runSpanName, semantic, signSpanName, taskSpanName, tracerName } from './names.ts';
import { mostSpansWithPhases, phaseSpans } from './phase-spans.ts';
import { redactText } from './redaction.ts';
import { runAttributes, taskAttributes } from './span-attributes.ts';

/** What is the same for the spans of all runs. */
export interface SpanSettings {
  readonly resource: Resource;
  /** Whether a model's words are told. */
  readonly withContent: boolean;
  /** `null` where the user set none: the service's own spans keep within OpenTelemetry's. */
  readonly limits: AttributeLimits | null;
}

/** A finished run's spans. */
interface RunSpans {
  /** The run span and, where the run signed, the sign span. */
  ofRun(): readonly ReadableSpan[];
  /** The task's own span and, with `detail=phases`, its parts. */
  ofTask(task: TaskRecord): readonly ReadableSpan[];
}

/** What a span is made from. */
interface SpanFacts {
  readonly name: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly fromNs: InstantNs;
  readonly toNs: InstantNs;
  readonly attributes: Attributes;
  readonly failure: SpanFailure | null;
  readonly kind?: SpanKind;
  readonly links?: Link[];
}

interface SpanFailure {
  readonly type: string;
  /** `null`: the span above has the words. */
  readonly words: string | null;
}

/** So many spans and the rest of a task's are made in one turn of the event loop. */
const sliceSpans = 200;

/**
 * A finished run's spans, a slice at a time: thousands of them do not hold the event loop, which has its turn between
 * slices, and nobody needs to have them all. `RangeError` for a record whose ids are not its tasks'.
 */
export async function* slicesOf(record: RunRecord, settings: SpanSettings): AsyncGenerator<ReadableSpan[]> {
  const spans = spansOf(record, settings);
  let slice = [...spans.ofRun()];
  for (const task of record.tasks) {
    if (slice.length >= sliceSpans) {
      yield slice;
      slice = [];
      await yieldToEvents();
    }
    slice.push(...spans.ofTask(task));
  }
  yield slice;
}

/**
 * Turns a record into ended spans: `run` → `sign` and one `task` each, with the ids of `record.trace` and times exact to
 * the nanosecond. They are made here and not by a tracer: a tracer would measure what is known already, give ids that
 * are allotted already, and ask a sampler that has decided, in twice the time.
 */
function spansOf(record: RunRecord, { resource, withContent, limits }: SpanSettings): RunSpans {
  const { plan, trace } = record;
  const { traceId } = trace;
  const at = epochTimes(record.clock);

  function span({
    name,
    id,
    parentId,
    fromNs,
    toNs,
    attributes,
    failure,
    kind,
    links,
  }: SpanFacts): ReadableSpan {
    const spanContext = { traceId, spanId: id, traceFlags: TraceFlags.SAMPLED };
    const startTime = at(fromNs);
    const endTime = at(Math.max(fromNs, toNs));
    const told = failure === null ? attributes : { ...attributes, [semantic.errorType]: failure.type };
    const { kept, dropped } = within(limits, told);
    return {
      name,
      kind: kind ?? SpanKind.INTERNAL,
      spanContext: () => spanContext,
      ...(parentId !== null && {
        parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED },
      }),
      startTime,
      endTime,
      duration: hrTimeDuration(startTime, endTime),
      ended: true,
      status: statusOf(failure),
      attributes: kept,
      droppedAttributesCount: dropped,
      events: exceptionOf(failure, endTime),
      droppedEventsCount: 0,
      links: links ?? [],
      droppedLinksCount: 0,
      resource,
      instrumentationScope: scope,
    };
  }

  function exceptionOf(failure: SpanFailure | null, time: HrTime): ReadableSpan['events'] {
    if (failure === null || failure.words === null) return [];
    const { kept, dropped } = within(limits, {
      [semantic.exceptionType]: failure.type,
      [semantic.exceptionMessage]: failure.words,
    });
    return [{ name: 'exception', time, attributes: kept, droppedAttributesCount: dropped }];
  }

  return {
    ofRun() {
      const { startedAtNs, endedAtNs, outcome, failure, signing } = record;
      const { linkedTo } = trace;
      const run = span({
        name: runSpanName(plan.workload, plan.strategy),
        id: trace.runSpanId,
        parentId: trace.parentSpanId,
        fromNs: startedAtNs,
        toNs: endedAtNs,
        attributes: runAttributes(record),
        failure: outcome === 'ok' || outcome === 'cancelled' ? null : failed(outcome, failure),
        links: linkedTo === null ? [] : [{ context: linkTo(linkedTo) }],
      });
      if (signing === null || trace.signSpanId === null) return [run];
      const sign = span({
        name: signSpanName,
        id: trace.signSpanId,
        parentId: trace.runSpanId,
        ...signing,
        attributes: {},
        failure: null,
      });
      return [run, sign];
    },
    ofTask(task) {
      const id = trace.taskSpanIds[task.index];
      if (id === undefined) throw new RangeError(`task ${task.index} was allotted no span id`);
      const bar = barOf(task, record);
      const own = span({
        name: taskSpanName(plan.workload, task.index),
        id,
        parentId: trace.runSpanId,
        ...bar,
        attributes: taskAttributes(task, withContent),
        failure: task.state === 'failed' ? failed(task.error.code, task.error.message) : null,
      });
      if (plan.detail === 'tasks') return [own];
      const parts = phaseSpans(record, task, id, bar).map(({ error, ...part }) =>
        // As the HTTP client conventions have it: the task's span has the words.
        span({ ...part, failure: error === null ? null : { type: error, words: null } }),
      );
      return [own, ...parts];
    },
  };
}

const scope = { name: tracerName };

function failed(type: string, message: string | null): SpanFailure {
  return { type, words: redactText(message ?? type) };
}

function statusOf(failure: SpanFailure | null): SpanStatus {
  if (failure === null) return { code: SpanStatusCode.UNSET };
  const { words } = failure;
  return { code: SpanStatusCode.ERROR, ...(words !== null && { message: words }) };
}

function within(
  limits: AttributeLimits | null,
  attributes: Attributes,
): { readonly kept: Attributes; readonly dropped: number } {
  if (limits === null) return { kept: attributes, dropped: 0 };
  const { attributes: kept = {}, droppedAttributesCount: dropped = 0 } = cleanAttributes(attributes, limits);
  return { kept, dropped };
}

/** At most so many spans each task of a plan has. */
export function mostSpansOfTask({ detail, attempts }: Pick<RunPlan, 'detail' | 'attempts'>): number {
  return detail === 'phases' ? mostSpansWithPhases(attempts) : 1;
}

/**
 * The bar starts where the task starts running. One that never started has no length, at the run's end; one whose end
 * nobody saw ends with the run, and so does what outlived its run until it was killed.
 */
function barOf(task: TaskRecord, run: RunRecord): { readonly fromNs: InstantNs; readonly toNs: InstantNs } {
  const inside = (instant: InstantNs): InstantNs =>
    Math.min(Math.max(instant, run.startedAtNs), run.endedAtNs);
  return {
    fromNs: inside(task.startedAtNs ?? run.endedAtNs),
    toNs: inside(task.startedAtNs === null ? run.endedAtNs : (task.endedAtNs ?? run.endedAtNs)),
  };
}

const secondNs = 1_000_000_000;

/** An instant as `[seconds, nanoseconds]` since 1970, with no rounding anywhere. */
function epochTimes(clock: ClockAnchor): (instant: InstantNs) => HrTime {
  const origin = BigInt(clock.epochOriginNs);
  const originSeconds = Number(origin / BigInt(secondNs));
  const originNs = Number(origin % BigInt(secondNs));
  return (instant) => {
    const ns = originNs + instant;
    const seconds = Math.floor(ns / secondNs);
    return [originSeconds + seconds, ns - seconds * secondNs];
  };
}
