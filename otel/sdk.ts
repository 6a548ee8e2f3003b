import { setTimeout as sleep } from 'node:timers/promises';
import {
  TraceFlags,
  context,
  isSpanContextValid,
  logs,
  metrics,
  trace,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import {
  RandomIdGenerator,
  SimpleSpanProcessor,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { ClockAnchor } from '../src/record/clock.ts';
import type { RunPlan } from '../src/record/plan.ts';
import type { RunRecord, SpanIds, TraceIds } from '../src/record/record.ts';
import { Collector } from './collector.ts';
import { ComparisonSpans } from './comparison-spans.ts';
import { applyTelemetryDefaults, capturesContent, queueLimits, spanAttributeLimits } from './environment.ts';
import { ExportQueue, type QueueCounts, type Room } from './export-queue.ts';
import { exportersFromEnvironment } from './exporters.ts';
import { loadInstrumented, runtimeInstrumentation, serverInstrumentations } from './instrumentations.ts';
import { logProcessorsFromEnvironment } from './log-processors.ts';
import { logStream, type LogStream } from './logs.ts';
import { metricReadersFromEnvironment } from './metric-readers.ts';
import { Metrics } from './metrics.ts';
import { meterName, runSpanName, tracerName } from './names.ts';
import { Notices, type NoticeListener } from './notices.ts';
import { PartialSuccesses } from './partial-success.ts';
import { telemetryResource } from './resource.ts';
import { ServerSpans } from './server-spans.ts';
import { mostSpansOfTask, slicesOf, type SpanSettings } from './spans.ts';
import { traceJson } from './trace-json.ts';

let started: Telemetry | null = null;

/**
 * Starts OpenTelemetry as the `OTEL_*` variables say, and returns the process's one handle to it; a second call
 * returns the same. To be called before anything imports Express: see register.ts.
 */
export function startTelemetry(): Telemetry {
  started ??= new Telemetry();
  return started;
}

/** What the service asks of telemetry. None of it throws because of the collector. */
export class Telemetry {
  /** Where spans are sent; `null` when they are sent to no collector (`OTEL_TRACES_EXPORTER`, `OTEL_SDK_DISABLED`). */
  readonly collectorUrl: string | null;
  readonly metrics: Metrics;
  /** Sends the log's lines where `OTEL_LOGS_EXPORTER` says; `null` when that is nowhere. */
  readonly logStream: LogStream | null;
  readonly #notices = new Notices();
  readonly #serverSpans = new ServerSpans();
  readonly #random = new RandomIdGenerator();
  readonly #spanSettings: SpanSettings;
  readonly #sdk: NodeSDK;
  readonly #tracer: Tracer;
  readonly #collector: Collector | null;
  readonly #queue: ExportQueue | null;
  /** Where spans go as well, or alone, if `OTEL_TRACES_EXPORTER` says so. */
  readonly #console: SpanProcessor | null;
  readonly #emitting = new Set<Promise<void>>();

  /** `instrumentServers: false` leaves the process's HTTP servers alone. */
  constructor({ instrumentServers = true }: { readonly instrumentServers?: boolean } = {}) {
    applyTelemetryDefaults();
    const resource = telemetryResource();
    this.#spanSettings = { resource, withContent: capturesContent(), limits: spanAttributeLimits() };
    const { otlp, console } = exportersFromEnvironment(this.#notices);
    this.collectorUrl = otlp?.url ?? null;
    this.#collector = otlp === null ? null : new Collector(otlp.url, this.#notices);
    const partly = new PartialSuccesses();
    this.#queue =
      otlp === null || this.#collector === null
        ? null
        : new ExportQueue(otlp.exporter, this.#collector, queueLimits(), partly);
    this.#console = console === null ? null : new SimpleSpanProcessor({ exporter: console });
    const outlets = [this.#queue, this.#console].filter((outlet) => outlet !== null);
    const readers = metricReadersFromEnvironment(this.#notices);
    const logRecordProcessors = logProcessorsFromEnvironment(this.#notices);
    this.#sdk = new NodeSDK({
      resource,
      autoDetectResources: false,
      // With nobody to send to there is nothing to make: the SDK then starts no tracer.
      spanProcessors: outlets.length === 0 ? [] : [this.#serverSpans, ...outlets],
      metricReaders: readers.all,
      logRecordProcessors,
      instrumentations: [
        ...(instrumentServers ? serverInstrumentations() : []),
        ...(instrumentServers && readers.scrape !== null ? [runtimeInstrumentation()] : []),
      ],
    });
    // After the SDK's constructor, which makes a diagnostic logger of its own.
    partly.listen();
    this.#sdk.start();
    if (instrumentServers) loadInstrumented();
    this.#tracer = trace.getTracer(tracerName);
    this.logStream = logRecordProcessors.length === 0 ? null : logStream(logs.getLogger(tracerName));
    this.metrics = new Metrics(metrics.getMeter(meterName), readers.scrape, () => this.counts);
  }

  /** Has `traceJson` know the requests of so many runs that ended last: those that are kept. By default 100. */
  rememberRequests(runs: number): void {
    this.#serverSpans.remembered = runs;
  }

  /** Hears of what people must be told, what was said before included. */
  onNotice(listener: NoticeListener): void {
    this.#notices.listen(listener);
  }

  /**
   * Tries whether anything listens where spans are sent; `null` when they are sent nowhere. Where nothing does, the
   * one warning (`collector_unreachable`) has been said when this resolves.
   */
  async probeCollector(timeoutMs = 500): Promise<boolean | null> {
    return this.#collector === null ? null : this.#collector.probe(timeoutMs);
  }

  /** `false` once the collector refused, until it accepts again. `true` where there is none. */
  get accepting(): boolean {
    return this.#collector?.accepting ?? true;
  }

  get counts(): QueueCounts {
    return this.#queue?.counts ?? { pending: 0, exported: 0, dropped: 0 };
  }

  /**
   * Waits until a run can be admitted without losing a span: at once when there is room, when the
   * collector does not accept, or when there is none. Rejects with the signal's reason. Release the room after `emit`.
   */
  async reserveRoom(
    plan: Pick<RunPlan, 'tasks' | 'detail' | 'attempts'>,
    signal?: AbortSignal,
  ): Promise<Room> {
    return this.#queue?.reserve(plan.tasks * mostSpansOfTask(plan) + runAndSign, signal) ?? { release() {} };
  }

  /**
   * Allots the ids of a run's spans. The run continues the active trace (the request's server span) or, with none,
   * begins its own. `linkedTo` is the span of another trace that stands for it. `sampled` is the configured sampler's decision; an unsampled run emits nothing.
   */
  allotIds(
    plan: Pick<RunPlan, 'workload' | 'strategy' | 'access' | 'tasks'>,
    linkedTo: SpanIds | null = null,
  ): TraceIds {
    const runSpanId = this.#random.generateSpanId();
    const request = this.#serverSpans.active;
    const ids = {
      ...(request === null ? this.#begun(plan) : continued(request)),
      runSpanId,
      signSpanId: plan.access === 'presigned' ? this.#random.generateSpanId() : null,
      taskSpanIds: Array.from({ length: plan.tasks }, () => this.#random.generateSpanId()),
      linkedTo,
    };
    if (request !== null) this.#serverSpans.tie(request, ids);
    return ids;
  }

  /** The trace of a run that no request of this process is the parent of. */
  #begun({ workload, strategy }: Pick<RunPlan, 'workload' | 'strategy'>): Beginning {
    const parent = trace.getSpanContext(context.active());
    // Never ended, so never exported: it is made only to have the sampler decide.
    const probe = this.#tracer.startSpan(runSpanName(workload, strategy));
    const probed = probe.spanContext();
    return {
      traceId: isSpanContextValid(probed) ? probed.traceId : this.#random.generateTraceId(),
      parentSpanId: parent !== undefined && isSpanContextValid(parent) ? parent.spanId : null,
      sampled: probe.isRecording() && isSampled(probed),
    };
  }

  /** Begins the trace of a comparison under the active span. To be ended. */
  beginComparison(comparison: { readonly id: string; readonly workload: string }): ComparisonSpans {
    return new ComparisonSpans(this.#tracer, comparison);
  }

  /**
   * What each task's outgoing requests carry as `traceparent` (W3C Trace Context), by index: of an unsampled run too, so that
   * who is asked makes no trace of its own. `null` where nothing is traced.
   */
  traceparents({ traceId, taskSpanIds, sampled }: TraceIds): string[] | null {
    if (this.#queue === null && this.#console === null) return null;
    const flags = sampled ? '01' : '00';
    return taskSpanIds.map((spanId) => `00-${traceId}-${spanId}-${flags}`);
  }

  /** The clock of a run that starts now, such that its spans lie inside the active server span. */
  anchorClock(): ClockAnchor {
    return this.#serverSpans.anchor();
  }

  /**
   * Makes the record's spans and hands them to the exporter, a slice at a time, so that the event loop is not held.
   * Call it when the response has been sent. Resolves when all are handed over; rejects only for a record whose ids are
   * not its tasks'.
   */
  emit(record: RunRecord): Promise<void> {
    if (!record.trace.sampled) return Promise.resolve();
    this.#serverSpans.remember(record);
    const emission = this.#write(record).finally(() => this.#emitting.delete(emission));
    this.#emitting.add(emission);
    return emission;
  }

  /**
   * The record's spans as OTLP JSON, in pieces to be joined, with the request's own when it was traced and this very
   * record was emitted.
   */
  traceJson(record: RunRecord): AsyncIterable<string> {
    return traceJson(record, this.#spanSettings, this.#serverSpans.of(record));
  }

  /** Sends what is waiting. Never rejects. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#emitting);
    await this.#queue?.forceFlush();
  }

  /** Sends what is waiting and stops, within the time given: by default 5 s, or 0.5 s when nobody accepts. */
  async shutdown(limitMs = this.accepting ? 5_000 : 500): Promise<void> {
    const ending = Promise.allSettled(this.#emitting).then(() => this.#sdk.shutdown());
    await Promise.race([ending.catch(() => undefined), sleep(limitMs, undefined, { ref: false })]);
    const { pending } = this.counts;
    if (pending === 0) return;
    const message = `Not sent before the end: ${pending} ${pending === 1 ? 'span' : 'spans'}.`;
    this.#notices.say({ level: 'warn', code: 'spans_dropped', message });
  }

  async #write(record: RunRecord): Promise<void> {
    for await (const slice of slicesOf(record, this.#spanSettings)) {
      for (const span of slice) this.#console?.onEnd(span);
      await this.#queue?.add(slice);
    }
  }
}

type Beginning = Pick<TraceIds, 'traceId' | 'parentSpanId' | 'sampled'>;

/** Every sampler of `OTEL_TRACES_SAMPLER` decides for a child of this process's own span as it did for that. */
function continued(request: ReadableSpan): Beginning {
  const spanContext = request.spanContext();
  const { traceId, spanId } = spanContext;
  return { traceId, parentSpanId: spanId, sampled: isSampled(spanContext) };
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The spans of a run beside its tasks'. */
const runAndSign = 2;
