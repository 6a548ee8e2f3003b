import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

export type AttributeValue = string | number | boolean | null | readonly AttributeValue[];
export type SpanAttributes = Readonly<Record<string, AttributeValue>>;
export type SpanKindName = 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';

/** A span as a collector gets it. Times are nanoseconds since 1970. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: SpanKindName;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: SpanAttributes;
  readonly status: { readonly code: 'UNSET' | 'OK' | 'ERROR'; readonly message: string | null };
  readonly events: readonly {
    readonly name: string;
    readonly atNs: bigint;
    readonly attributes: SpanAttributes;
  }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly resource: SpanAttributes;
  readonly scope: string;
}

/** A log record as a collector gets it. */
export interface ReceivedLog {
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly severity: readonly [number, string];
  readonly body: AttributeValue;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly attributes: SpanAttributes;
  readonly resource: SpanAttributes;
}

/**
 * `refuse` answers 400, so that exporters do not try again; `hang` takes the request and never answers; `dawdle` answers late;
 * `discard` accepts unread; `choose` accepts, and says that it rejected three spans.
 */
export type Behaviour = 'accept' | 'refuse' | 'hang' | 'dawdle' | 'discard' | 'choose';

/** How late a dawdling one answers. */
export const dawdleMs = 400;

/** What a choosing one answers. */
const partly = { partialSuccess: { rejectedSpans: '3', errorMessage: 'three are too old' } };

/** A collector's OTLP/HTTP JSON receiver inside the test's process, on a random loopback port. */
export class OtlpReceiver {
  /** Every span accepted, in order of arrival. */
  readonly spans: ReceivedSpan[] = [];
  /** Every request body with metrics, as JSON text. */
  readonly metrics: string[] = [];
  /** Every log record accepted. */
  readonly logs: ReceivedLog[] = [];
  behaviour: Behaviour = 'accept';
  /** Requests seen, whatever became of them. */
  requests = 0;
  /** The port it listens on, or listened on until it was closed. */
  port = 0;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  /** @param port 0: any that is free. */
  static async listen(port = 0): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    const address = receiver.#server.address();
    if (address !== null && typeof address === 'object') receiver.port = address.port;
    return receiver;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  byTrace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The trace's task spans, by index. */
  taskSpans(traceId: string): ReceivedSpan[] {
    return this.byTrace(traceId)
      .filter(({ name }) => name.startsWith('task '))
      .toSorted(
        (a, b) => Number(a.attributes['bench.task.index']) - Number(b.attributes['bench.task.index']),
      );
  }

  children(parent: ReceivedSpan): ReceivedSpan[] {
    return this.byTrace(parent.traceId).filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  }

  /** The one span of that name; throws when there is none, or more than one. */
  named(name: string, traceId?: string): ReceivedSpan {
    const found = this.spans.filter(
      (span) => span.name === name && (traceId ?? span.traceId) === span.traceId,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${found.length} spans are named "${name}"`);
    return only;
  }

  /** Resolves when that many spans (of the trace, if given) are here; throws after `timeoutMs`, saying how many are. */
  async received(count: number, traceId?: string, timeoutMs = 20_000): Promise<void> {
    const here = (): number => (traceId === undefined ? this.spans : this.byTrace(traceId)).length;
    const giveUpAt = performance.now() + timeoutMs;
    while (here() < count) {
      if (performance.now() > giveUpAt)
        throw new Error(`${here()} of ${count} spans arrived in ${timeoutMs} ms`);
      await sleep(10);
    }
  }

  /** Cuts all connections; a second call does nothing. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
    if (this.behaviour === 'hang') return;
    if (this.behaviour === 'dawdle') await sleep(dawdleMs);
    const type = request.headers['content-type'];
    if (this.behaviour === 'discard') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      return;
    }
    const refused = this.behaviour === 'refuse' || !isSignal(request.url) || type !== 'application/json';
    if (!refused) {
      const body = Buffer.concat(chunks);
      const json = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      if (request.url === '/v1/metrics') this.metrics.push(json.toString());
      else if (request.url === '/v1/logs') this.logs.push(...parseLogsJson(json.toString()));
      else this.spans.push(...parseTraceJson(json.toString()));
    }
    const answer = this.behaviour === 'choose' ? partly : {};
    response
      .writeHead(refused ? 400 : 200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify(answer));
  }
}

function isSignal(path: string | undefined): boolean {
  return path === '/v1/traces' || path === '/v1/metrics' || path === '/v1/logs';
}

/** Reads an OTLP JSON `ExportTraceServiceRequest`; throws where it is not one. */
export function parseTraceJson(json: string): ReceivedSpan[] {
  const { resourceSpans } = request.parse(JSON.parse(json));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId === undefined || span.parentSpanId === '' ? null : span.parentSpanId,
        name: span.name,
        kind: kinds[span.kind] ?? 'UNSPECIFIED',
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: plain(span.attributes),
        status: { code: statuses[span.status.code] ?? 'UNSET', message: span.status.message ?? null },
        events: span.events.map(({ name, timeUnixNano, attributes }) => ({
          name,
          atNs: BigInt(timeUnixNano),
          attributes: plain(attributes),
        })),
        links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
        resource: plain(resource.attributes),
        scope: scope.name,
      })),
    ),
  );
}

/** Reads an OTLP JSON `ExportLogsServiceRequest`; throws where it is not one. */
function parseLogsJson(json: string): ReceivedLog[] {
  const { resourceLogs } = logsRequest.parse(JSON.parse(json));
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        traceId: record.traceId ?? null,
        spanId: record.spanId ?? null,
        severity: [record.severityNumber, record.severityText] as const,
        body: plainValue(record.body),
        timeNs: BigInt(record.timeUnixNano),
        attributes: plain(record.attributes),
        resource: plain(resource.attributes),
      })),
    ),
  );
}

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const statuses = ['UNSET', 'OK', 'ERROR'] as const;

interface AnyValue {
  readonly stringValue?: string | undefined;
  readonly intValue?: string | number | undefined;
  readonly doubleValue?: number | undefined;
  readonly boolValue?: boolean | undefined;
  readonly arrayValue?: { readonly values: readonly AnyValue[] } | undefined;
}

const anyValue: z.ZodType<AnyValue> = z.lazy(() =>
  z.object({
    stringValue: z.string().optional(),
    intValue: z.union([z.string(), z.number()]).optional(),
    doubleValue: z.number().optional(),
    boolValue: z.boolean().optional(),
    arrayValue: z.object({ values: z.array(anyValue) }).optional(),
  }),
);

const attributeList = z.array(z.object({ key: z.string(), value: anyValue })).default([]);
const id = (digits: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`, 'u'));

const spanSchema = z.object({
  traceId: id(32),
  spanId: id(16),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: attributeList,
  status: z.object({ code: z.int().default(0), message: z.string().optional() }).default({ code: 0 }),
  events: z
    .array(z.object({ name: z.string(), timeUnixNano: z.string(), attributes: attributeList }))
    .default([]),
  links: z.array(z.object({ traceId: id(32), spanId: id(16) })).default([]),
});

const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributeList }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(spanSchema) })),
    }),
  ),
});

const logsRequest = z.object({
  resourceLogs: z.array(
    z.object({
      resource: z.object({ attributes: attributeList }),
      scopeLogs: z.array(
        z.object({
          logRecords: z.array(
            z.object({
              timeUnixNano: z.string(),
              severityNumber: z.int(),
              severityText: z.string(),
              body: anyValue,
              attributes: attributeList,
              traceId: id(32).optional(),
              spanId: id(16).optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

function plain(list: z.infer<typeof attributeList>): SpanAttributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: AnyValue): AttributeValue {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(plainValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? null;
}
