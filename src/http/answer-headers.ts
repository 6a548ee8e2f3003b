import { isSpanContextValid, trace, type SpanContext } from '@opentelemetry/api';
import type { RequestHandler, Response } from 'express';

const arrival = 'arrivedMs';

/** Milliseconds by name; `null` ones are left out. */
export type TimingParts = Readonly<Record<string, number | null>>;

/** The cost of an answer is counted from here. */
export const noteArrival: RequestHandler = (_request, { locals }, next) => {
  locals[arrival] = performance.now();
  next();
};

/**
 * Sets what every answer carries: Server-Timing (W3C) with the total and the given parts, in milliseconds and, where the request has a span, its ids as `traceresponse` (W3C Trace Context, draft).
 */
export function describeAnswer(response: Response, parts: TimingParts = {}): void {
  const arrivedMs: unknown = response.locals[arrival];
  const total = typeof arrivedMs === 'number' ? performance.now() - arrivedMs : null;
  response.set(
    'Server-Timing',
    Object.entries({ total, ...parts })
      .flatMap(([name, ms]) => (ms === null ? [] : [`${name};dur=${ms.toFixed(3)}`]))
      .join(', '),
  );
  const span = trace.getActiveSpan()?.spanContext();
  // Where no spans are made the active one is the caller's, or none at all.
  const own =
    span !== undefined && isSpanContextValid(span) && !isOf(response.req.headers['traceparent'], span);
  if (!own) return;
  const flags = span.traceFlags.toString(16).padStart(2, '0');
  response.set('traceresponse', `00-${span.traceId}-${span.spanId}-${flags}`);
}

/** Whether this span is the one that a request came from. */
function isOf(traceparent: string | string[] | undefined, { traceId, spanId }: SpanContext): boolean {
  return traceparent?.includes(`-${traceId}-${spanId}-`) ?? false;
}
