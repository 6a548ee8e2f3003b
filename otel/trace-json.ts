import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { RunRecord } from '../src/record/record.ts';
import { slicesOf, type SpanSettings } from './spans.ts';

/**
 * A run's spans as OTLP JSON (an `ExportTraceServiceRequest`): the file that Jaeger's "Upload" and the OTLP/HTTP
 * receiver of any collector take. Made anew from the record, so it needs no collector and no sampling decision; and
 * in pieces, to be joined as they are, because a run of ten thousand tasks has tens of megabytes of them.
 *
 * @param serverSpan The request's own span, put first; left out when `null` or not yet ended.
 */
export async function* traceJson(
  record: RunRecord,
  settings: SpanSettings,
  serverSpan: ReadableSpan | null,
): AsyncGenerator<string> {
  await settings.resource.waitForAsyncAttributes?.();
  const before = serverSpan?.ended === true ? [serverSpan] : [];
  let rest = '';
  for await (const slice of slicesOf(record, settings)) {
    const isFirst = rest === '';
    const request = requestOf(isFirst ? [...before, ...slice] : slice);
    const end = request.search(afterLastSpan);
    yield isFirst ? request.slice(0, end) : `,${request.slice(startOfLastSpans(request), end)}`;
    rest = request.slice(end);
  }
  yield rest;
}

function requestOf(spans: ReadableSpan[]): string {
  return new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans));
}

// A run's spans are of one resource and one scope, so each slice repeats what is around them, and they come last. Neither
// pattern can be in a text of a span: its quotes have a backslash.
const beforeSpans = '"spans":[';
const afterLastSpan = /\]\}\](?:,"schemaUrl":"[^"]*")?\}\]\}$/u;

function startOfLastSpans(request: string): number {
  return request.lastIndexOf(beforeSpans) + beforeSpans.length;
}
