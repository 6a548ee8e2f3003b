import {
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  context,
  trace,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { RunRecord, SpanIds } from '../src/record/record.ts';
import { comparisonAttribute, comparisonSpanName, roundSpanName, runAttribute, semantic } from './names.ts';
import { redactText } from './redaction.ts';

/** A run of a comparison, before it is executed. */
export interface Round {
  /** From 1; 0 for what warms up. */
  readonly round: number;
  readonly strategy: string;
}

/**
 * The trace of a comparison, under the request's span: one span a run. The run's own spans are a trace of their own, so
 * that none gets large; the two spans of a run are linked both ways.
 */
export class ComparisonSpans {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, comparison: { readonly id: string; readonly workload: string }) {
    this.#tracer = tracer;
    this.#span = tracer.startSpan(comparisonSpanName(comparison.workload), {
      attributes: { [comparisonAttribute.id]: comparison.id, [runAttribute.workload]: comparison.workload },
    });
  }

  /** `null` where nothing is traced. */
  get ids(): SpanIds | null {
    const { traceId, spanId } = this.#span.spanContext();
    return this.#span.isRecording() ? { traceId, spanId } : null;
  }

  /** Executes a run outside the comparison's trace; it gets the span to link to, where that is made at all. */
  async standFor(
    { round, strategy }: Round,
    execute: (linkedTo: SpanIds | null) => Promise<RunRecord>,
  ): Promise<RunRecord> {
    const span = this.#tracer.startSpan(
      roundSpanName(round, strategy),
      { attributes: { [comparisonAttribute.round]: round, [runAttribute.strategy]: strategy } },
      trace.setSpan(ROOT_CONTEXT, this.#span),
    );
    const { traceId, spanId } = span.spanContext();
    try {
      const record = await context.with(ROOT_CONTEXT, () =>
        execute(span.isRecording() ? { traceId, spanId } : null),
      );
      if (record.trace.sampled)
        span.addLink({ context: linkTo({ traceId: record.trace.traceId, spanId: record.trace.runSpanId }) });
      span.setAttributes({ [runAttribute.id]: record.id, [runAttribute.outcome]: record.outcome });
      return record;
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** @param error why the comparison did not come to its end; `null` when it did */
  end(error: unknown): void {
    if (error !== null) fail(this.#span, error);
    this.#span.end();
  }
}

/** What a link to a span of another trace needs. */
export function linkTo({ traceId, spanId }: SpanIds): SpanContext {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

function fail(span: Span, error: unknown): void {
  // A client that goes away is no error, and the end of the service none of a run.
  if (!(error instanceof Error) || ('code' in error && error.code === 'cancelled')) return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: redactText(error.message) });
  span.setAttribute(semantic.errorType, 'code' in error ? String(error.code) : error.name);
}
