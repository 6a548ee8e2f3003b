import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { Resource } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  TracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { RunRecord } from '../src/record/record.ts';
import { PlannedIdGenerator } from './ids.ts';
import { tracerName } from './names.ts';
import { spanWriter } from './spans.ts';

/**
 * A run's spans as OTLP JSON (an `ExportTraceServiceRequest`): the file that Jaeger's "Upload" and the OTLP/HTTP
 * receiver of any collector take. Made anew from the record, so it needs no collector and no sampling decision.
 *
 * @param serverSpan The request's own span, put first; left out when `null` or not yet ended.
 */
export async function traceJson(
  record: RunRecord,
  resource: Resource,
  serverSpan: ReadableSpan | null,
): Promise<string> {
  await resource.waitForAsyncAttributes?.();
  const spans = serverSpan?.ended === true ? [serverSpan] : [];
  const idGenerator = new PlannedIdGenerator();
  const provider = new TracerProvider({
    resource,
    idGenerator,
    sampler: new AlwaysOnSampler(),
    spanProcessors: [collectInto(spans)],
  });
  const writer = spanWriter(provider.getTracer(tracerName), idGenerator, record);
  writer.writeRun();
  for (const task of record.tasks) writer.writeTask(task);
  const bytes = JsonTraceSerializer.serializeRequest(spans);
  return new TextDecoder().decode(bytes);
}

function collectInto(spans: ReadableSpan[]): SpanProcessor {
  return {
    onStart() {},
    onEnd: (span) => void spans.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
