import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { ClockAnchor, InstantNs } from '../src/record/clock.ts';
import type { RunPlan } from '../src/record/plan.ts';
import type { RunRecord, TaskRecord } from '../src/record/record.ts';
import { linkTo } from './comparison-spans.ts';
import { capturesContent } from './environment.ts';
import type { PlannedIdGenerator } from './ids.ts';
import { runSpanName, semantic, signSpanName, taskSpanName } from './names.ts';
import { mostSpansWithPhases, phaseSpans } from './phase-spans.ts';
import { redactText } from './redaction.ts';
import { runAttributes, taskAttributes } from './span-attributes.ts';

/** Makes a finished run's spans, each when it is asked for, so that thousands of them need not hold the event loop. */
export interface SpanWriter {
  /** The run span and, where the run signed, the sign span. */
  writeRun(): void;
  writeTask(task: TaskRecord): void;
}

/**
 * Turns a record into spans: `run` → `sign` and one `task` each, with the ids of `record.trace` and times exact to
 * the nanosecond. `tracer` must use `ids` as its generator.
 */
export function spanWriter(tracer: Tracer, ids: PlannedIdGenerator, record: RunRecord): SpanWriter {
  const { plan, trace: planned } = record;
  const withContent = capturesContent();
  const at = epochTimes(record.clock);
  const insideRun = withParent(planned.traceId, planned.runSpanId);

  function span(
    name: string,
    id: string,
    context: Context,
    startNs: InstantNs,
    attributes: Attributes,
    endNs: InstantNs,
    decorate?: (span: Span) => void,
    kind = SpanKind.INTERNAL,
    links: Link[] = [],
  ): void {
    ids.plan(id, planned.traceId);
    const made = tracer.startSpan(name, { kind, startTime: at(startNs), attributes, links }, context);
    ids.clear();
    decorate?.(made);
    made.end(at(endNs));
  }

  function fail(type: string, message: string | null, atNs: InstantNs): (span: Span) => void {
    return (failed) => {
      const words = redactText(message ?? type);
      failed.setStatus({ code: SpanStatusCode.ERROR, message: words });
      failed.setAttribute(semantic.errorType, type);
      failed.recordException({ code: type, message: words }, at(atNs));
    };
  }

  return {
    writeRun() {
      const { startedAtNs, endedAtNs, outcome, failure, signing } = record;
      const context =
        planned.parentSpanId === null ? ROOT_CONTEXT : withParent(planned.traceId, planned.parentSpanId);
      const name = runSpanName(plan.workload, plan.strategy);
      const decorate =
        outcome === 'ok' || outcome === 'cancelled' ? undefined : fail(outcome, failure, endedAtNs);
      const { linkedTo } = planned;
      const links = linkedTo === null ? [] : [{ context: linkTo(linkedTo) }];
      span(
        name,
        planned.runSpanId,
        context,
        startedAtNs,
        runAttributes(record),
        endedAtNs,
        decorate,
        SpanKind.INTERNAL,
        links,
      );
      if (signing !== null && planned.signSpanId !== null) {
        span(signSpanName, planned.signSpanId, insideRun, signing.fromNs, {}, signing.toNs);
      }
    },
    writeTask(task) {
      const id = planned.taskSpanIds[task.index];
      if (id === undefined) throw new RangeError(`task ${task.index} was allotted no span id`);
      const { fromNs, toNs } = barOf(task, record);
      span(
        taskSpanName(plan.workload, task.index),
        id,
        insideRun,
        fromNs,
        taskAttributes(task, withContent),
        toNs,
        task.state === 'failed' ? fail(task.error.code, task.error.message, toNs) : undefined,
      );
      if (plan.detail === 'tasks') return;
      for (const part of phaseSpans(record, task, id, { fromNs, toNs })) {
        const parent = withParent(planned.traceId, part.parentId);
        const { error } = part;
        const decorate = error === null ? undefined : (made: Span) => markFailed(made, error);
        span(part.name, part.id, parent, part.fromNs, part.attributes, part.toNs, decorate, part.kind);
      }
    },
  };
}

/** As the HTTP client conventions have it: the task's span has the words. */
function markFailed(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute(semantic.errorType, type);
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

function withParent(traceId: string, spanId: string): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
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
