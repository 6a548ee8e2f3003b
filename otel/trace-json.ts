import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { RunRecord } from '../src/record/record.ts';
import { spansOf, type SpanSettings } from './spans.ts';

/**
 * A run's spans as OTLP JSON (an `ExportTraceServiceRequest`): the file that Jaeger's "Upload" and the OTLP/HTTP
 * receiver of any collector take. Made anew from the record, so it needs no collector and no sampling decision.
 *
 * @param serverSpan The request's own span, put first; left out when `null` or not yet ended.
 */
export async function traceJson(
  record: RunRecord,
  settings: SpanSettings,
  serverSpan: ReadableSpan | null,
): Promise<string> {
  await settings.resource.waitForAsyncAttributes?.();
  const spans = spansOf(record, settings);
  const bytes = JsonTraceSerializer.serializeRequest([
    ...(serverSpan?.ended === true ? [serverSpan] : []),
    ...spans.ofRun(),
    ...record.tasks.flatMap((task) => spans.ofTask(task)),
  ]);
  return new TextDecoder().decode(bytes);
}
