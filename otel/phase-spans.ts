import { createHash } from 'node:crypto';
import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { InstantNs } from '../src/record/clock.ts';
import type { AttemptRecord, HttpPhases, RunRecord, TaskRecord } from '../src/record/record.ts';
import { firstTokenSpanName, phaseSpanNames, prepareSpanName, queueSpanName } from './names.ts';
import { attemptAttributes } from './span-attributes.ts';

/** A span to make, as plain data. */
export interface SpanPlan {
  readonly name: string;
  /** Made from its task's, so that it is the same whenever the span is made again. */
  readonly id: string;
  readonly parentId: string;
  readonly kind: SpanKind;
  readonly fromNs: InstantNs;
  readonly toNs: InstantNs;
  readonly attributes: Attributes;
  /** Why it failed; `null` when it did not. */
  readonly error: string | null;
}

/** A task's bar. */
export interface Bar {
  readonly fromNs: InstantNs;
  readonly toNs: InstantNs;
}

/** At most so many spans a task has with `detail=phases`, its own among them. */
export function mostSpansWithPhases(attempts: number): number {
  return 3 + attempts * (2 + phaseNames.length);
}

/**
 * What `detail=phases` adds to a task's span: its wait and its preparation as children of the run, and under the task
 * one CLIENT span an HTTP attempt, with its parts. Each lies inside what it is part of, and parts follow each other. A
 * task that never began has its queue alone, to the run's end.
 */
export function phaseSpans(
  run: RunRecord,
  task: TaskRecord,
  taskSpanId: string,
  bar: Bar,
): readonly SpanPlan[] {
  const { workload } = run.plan;
  const { queuedAtNs, admittedAtNs, startedAtNs } = task;
  const planned = (
    name: string,
    parentId: string,
    from: InstantNs | null,
    to: InstantNs | null,
  ): SpanPlan[] =>
    from === null || to === null || to < from
      ? []
      : [
          {
            name,
            id: derivedId(taskSpanId, name),
            parentId,
            kind: SpanKind.INTERNAL,
            fromNs: from,
            toNs: to,
            attributes: {},
            error: null,
          },
        ];
  const waitEnd = admittedAtNs ?? run.endedAtNs;
  return [
    ...planned(queueSpanName(workload, task.index), run.trace.runSpanId, queuedAtNs, waitEnd),
    ...planned(
      prepareSpanName(workload, task.index),
      run.trace.runSpanId,
      admittedAtNs,
      startedAtNs ?? (admittedAtNs === null ? null : run.endedAtNs),
    ),
    ...(task.attempts ?? []).flatMap((attempt, position) =>
      attemptSpans(task, attempt, position, taskSpanId, bar),
    ),
  ];
}

const phaseNames: readonly (keyof HttpPhases)[] = ['dns', 'connect', 'tls', 'ttfb', 'download'];

function attemptSpans(
  task: TaskRecord,
  attempt: AttemptRecord,
  position: number,
  taskSpanId: string,
  bar: Bar,
): SpanPlan[] {
  const fromNs = within(bar, attempt.startedAtNs);
  const own: Bar = { fromNs, toNs: Math.max(fromNs, within(bar, attempt.endedAtNs ?? bar.toNs)) };
  const id = derivedId(taskSpanId, `attempt ${position}`);
  const child = (name: string, from: InstantNs, to: InstantNs): SpanPlan => ({
    name,
    id: derivedId(id, name),
    parentId: id,
    kind: SpanKind.INTERNAL,
    fromNs: within(own, from),
    toNs: within(own, to),
    attributes: {},
    error: null,
  });
  return [
    {
      name: attempt.method,
      id,
      parentId: taskSpanId,
      kind: SpanKind.CLIENT,
      ...own,
      attributes: attemptAttributes(attempt, position),
      error: errorOf(task, attempt, position),
    },
    ...phaseNames.flatMap((name) => {
      const part = attempt.phases[name];
      return part === null ? [] : [child(phaseSpanNames[name], part.fromNs, part.toNs)];
    }),
    ...firstToken(task, attempt, position).map((atNs) =>
      child(firstTokenSpanName, attempt.startedAtNs, atNs),
    ),
  ];
}

/**
 * The HTTP client conventions' `error.type`; `null` for an exchange that did not fail. One that was cut off did, unless it
 * is what a task had in hand when it was cancelled, or had all that it wanted.
 */
function errorOf(task: TaskRecord, { statusCode, complete }: AttemptRecord, position: number): string | null {
  if (statusCode !== null && statusCode >= 400) return String(statusCode);
  return complete || (isLast(task, position) && task.state !== 'failed') ? null : '_OTHER';
}

/** Of the attempt that gave a streamed answer, the last one: when its first token was there. */
function firstToken(
  task: TaskRecord,
  { startedAtNs }: AttemptRecord,
  position: number,
): readonly InstantNs[] {
  const afterMs = task.state === 'ok' ? (task.output.llm?.timeToFirstTokenMs ?? null) : null;
  return isLast(task, position) && afterMs !== null ? [startedAtNs + Math.round(afterMs * 1e6)] : [];
}

function isLast({ attempts }: TaskRecord, position: number): boolean {
  return position === (attempts?.length ?? 0) - 1;
}

function within({ fromNs, toNs }: Bar, instant: InstantNs): InstantNs {
  return Math.min(Math.max(instant, fromNs), toNs);
}

/** A span id (W3C Trace Context: 8 bytes, not all zero) that follows from another and a name. */
function derivedId(spanId: string, name: string): string {
  return createHash('sha256').update(`${spanId} ${name}`).digest('hex').slice(0, 16);
}
