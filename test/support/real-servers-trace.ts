import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

/** A span as Jaeger gives it back. */
export interface JaegerSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** `null` for a root span, also for one whose parent belongs to a caller that sent no spans. */
  readonly parentSpanId: string | null;
  /** Spans of other traces. */
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly name: string;
  readonly service: string;
  /** Microseconds since the epoch: Jaeger keeps no finer times. */
  readonly startUs: number;
  readonly durationUs: number;
  /** Attributes, and Jaeger's own `span.kind`, `error`, `otel.status_code`, `otel.status_description`. */
  readonly tags: Readonly<Record<string, unknown>>;
  /** The span's events, their names under `event`. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
}

const longestWaitMs = 20_000;

/**
 * The spans of a trace, waited for until there are at least `atLeast`: they arrive in batches. Throws with what is
 * there if they do not come.
 */
export async function readTrace(
  queryUrl: string,
  traceId: string,
  { atLeast }: { readonly atLeast: number },
): Promise<readonly JaegerSpan[]> {
  const deadline = AbortSignal.timeout(longestWaitMs);
  for (;;) {
    const spans = await spansNow(queryUrl, traceId);
    if (spans.length >= atLeast) return spans;
    if (deadline.aborted) {
      const names = spans.map(({ name }) => name).join(', ');
      throw new Error(`Jaeger has ${spans.length} of at least ${atLeast} spans of ${traceId}: ${names}`);
    }
    await wait(100);
  }
}

async function spansNow(queryUrl: string, traceId: string): Promise<readonly JaegerSpan[]> {
  const response = await fetch(`${queryUrl}/api/traces/${traceId}`);
  // It knows no trace before its first span.
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`Jaeger answers ${response.status}: ${await response.text()}`);
  const { data } = Traces.parse(await response.json());
  return data.flatMap(({ spans, processes }) =>
    spans.map((span) => ({
      traceId: span.traceID,
      spanId: span.spanID,
      parentSpanId: span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? null,
      links: span.references
        .filter(({ refType }) => refType === 'FOLLOWS_FROM')
        .map(({ traceID, spanID }) => ({ traceId: traceID, spanId: spanID })),
      name: span.operationName,
      service: processes[span.processID]?.serviceName ?? '',
      startUs: span.startTime,
      durationUs: span.duration,
      tags: asObject(span.tags),
      logs: span.logs.map(({ fields }) => asObject(fields)),
    })),
  );
}

function asObject(fields: readonly z.infer<typeof KeyValue>[]): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ key, value }) => [key, value]));
}

const KeyValue = z.object({ key: z.string(), value: z.unknown() });

const Traces = z.object({
  data: z.array(
    z.object({
      spans: z.array(
        z.object({
          traceID: z.string(),
          spanID: z.string(),
          operationName: z.string(),
          references: z.array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() })),
          startTime: z.number(),
          duration: z.number(),
          tags: z.array(KeyValue),
          logs: z.array(z.object({ fields: z.array(KeyValue) })),
          processID: z.string(),
        }),
      ),
      processes: z.record(z.string(), z.object({ serviceName: z.string() })),
    }),
  ),
});
