import { TraceFlags } from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { reasonOf } from '../src/reachable.ts';
import { turnOf, WaitingLine } from '../src/waiting-line.ts';
import type { Collector } from './collector.ts';
import type { QueueLimits } from './environment.ts';
import type { PartialSuccesses, Rejected } from './partial-success.ts';
import { redactText } from './redaction.ts';

/** Room in the queue that is kept for one run's spans. To be released when they are in it, or never will be. */
export interface Room {
  release(): void;
}

export interface QueueCounts {
  /** Waiting or being sent. */
  readonly pending: number;
  readonly exported: number;
  /** Not taken by the collector, or not fitting into the queue. */
  readonly dropped: number;
}

/**
 * The way of all spans to the collector: OpenTelemetry's batch processor, told apart from it by knowing what became of
 * each span. While the collector accepts, whoever has spans can wait for room and none is lost; while it does not, or
 * only slowly, nobody waits, the queue stays bounded and what does not fit is counted.
 */
export class ExportQueue implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #exporter: ToldExporter;
  readonly #collector: Collector;
  readonly #max: number;
  /** What the spans of runs may take: the rest is for those of requests, which can't wait. */
  readonly #forRuns: number;
  /** So many of a run's spans at most are added at once. */
  readonly #piece: number;
  #pending = 0;
  #exported = 0;
  #dropped = 0;
  #reserved = 0;
  #closed = false;
  /** Whether the last batch took too long, or the one that is being sent does. */
  #slow = false;
  readonly #runs = new WaitingLine();
  /** Spans of runs that were let in. */
  readonly #pieces = new WaitingLine();

  /** @param partly what is heard of batches that were taken in part */
  constructor(
    exporter: SpanExporter,
    collector: Collector,
    limits: QueueLimits,
    partly: Pick<PartialSuccesses, 'take'>,
  ) {
    this.#collector = collector;
    this.#max = limits.maxQueueSize;
    this.#forRuns = this.#max - Math.min(1_000, Math.floor(this.#max / 10));
    this.#piece = Math.min(200, Math.ceil(this.#forRuns / 2));
    this.#exporter = new ToldExporter(exporter, limits, partly, {
      late: () => this.#late(),
      told: (...told) => this.#told(...told),
    });
    // Where no piece fits a batch is full, and so on its way: none waits for the batch processor's timer.
    const largestBatch = this.#forRuns - this.#piece + 1;
    this.#batches = new BatchSpanProcessor({
      exporter: this.#exporter,
      ...limits,
      maxExportBatchSize: Math.min(limits.maxExportBatchSize, largestBatch),
    });
  }

  get counts(): QueueCounts {
    return { pending: this.#pending, exported: this.#exported, dropped: this.#dropped };
  }

  /**
   * Keeps room for a run's spans, first come first served. Resolves at once when there is room, or when the collector
   * does not accept or is slow; rejects with the signal's reason. For a run with more spans than that half of the
   * queue is enough: `add` waits with what is more, and a queue that requests keep using is never seen empty.
   */
  async reserve(spans: number, signal?: AbortSignal): Promise<Room> {
    const wanted = Math.min(spans, Math.ceil(this.#forRuns / 2));
    const fits = (): boolean => this.#open || this.#pending + this.#reserved + wanted <= this.#forRuns;
    const take = (): void => {
      this.#reserved += wanted;
    };
    await this.#runs.enter(turnOf(fits, take), signal);
    let kept = wanted;
    return {
      release: () => {
        this.#reserved -= kept;
        kept = 0;
        this.#runs.letIn();
      },
    };
  }

  /**
   * Adds a run's spans, however many, as there is room for them. Resolves when all are in the queue; where the collector
   * does not accept or is slow that is at once, and what does not fit is dropped.
   */
  async add(spans: readonly ReadableSpan[]): Promise<void> {
    for (let first = 0; first < spans.length; first += this.#piece) {
      const piece = spans.slice(first, first + this.#piece);
      const fits = (): boolean => this.#open || this.#pending + piece.length <= this.#forRuns;
      const take = (): void => {
        for (const span of piece) this.onEnd(span);
      };
      await this.#pieces.enter(turnOf(fits, take));
    }
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#closed || this.#pending >= this.#max) return this.#drop(1);
    this.#pending += 1;
    this.#batches.onEnd(span);
  }

  /** Sends what is waiting. Never rejects: what could not be sent is in the counts. */
  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush().catch(counted);
    // Not waited for by the batch processor: what its timer sent.
    await this.#exporter.sent();
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    await this.#batches.shutdown().catch(counted);
  }

  /** Whether nobody has to wait. */
  get #open(): boolean {
    return this.#closed || this.#slow || !this.#collector.accepting;
  }

  #late(): void {
    this.#slow = true;
    this.#letIn();
  }

  #told(spans: number, result: BatchResult, wasLate: boolean): void {
    this.#pending -= spans;
    this.#slow = wasLate;
    if (result.code === ExportResultCode.SUCCESS) {
      const rejected = Math.min(spans, result.rejected?.spans ?? 0);
      this.#exported += spans - rejected;
      this.#dropped += rejected;
      this.#collector.accepted();
      this.#collector.rejected(rejected, redactText(result.rejected?.reason ?? ''));
    } else {
      this.#collector.refused(redactText(reasonOf(result.error)));
      this.#drop(spans);
    }
    this.#letIn();
  }

  #letIn(): void {
    this.#pieces.letIn();
    this.#runs.letIn();
  }

  #drop(spans: number): void {
    this.#dropped += spans;
    this.#collector.lost(spans);
  }
}

/** Failed batches are counted where the exporter reports them; the batch processor's own error adds nothing. */
function counted(): void {}

type Limits = Pick<QueueLimits, 'exportTimeoutMillis' | 'slowMillis'>;

type BatchResult = ExportResult & { readonly rejected?: Rejected | null };

/** What is heard of a batch that is being sent. */
interface Hears {
  /** It takes longer than `slowMillis`. */
  late(): void;
  told(spans: number, result: BatchResult, wasLate: boolean): void;
}

/**
 * An exporter that reports what became of each batch, once, at the latest after `exportTimeoutMillis`. Sends one batch
 * after another, also when a flush hands over all at once: exporters refuse more than 30 at a time.
 */
class ToldExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #limits: Limits;
  readonly #partly: Pick<PartialSuccesses, 'take'>;
  readonly #hears: Hears;
  #last: Promise<void> = Promise.resolve();

  constructor(inner: SpanExporter, limits: Limits, partly: Pick<PartialSuccesses, 'take'>, hears: Hears) {
    this.#inner = inner;
    this.#limits = limits;
    this.#partly = partly;
    this.#hears = hears;
  }

  export(spans: ReadableSpan[], report: (result: ExportResult) => void): void {
    this.#last = this.#after(this.#last, spans, report);
  }

  async #after(
    earlier: Promise<void>,
    spans: ReadableSpan[],
    report: (result: ExportResult) => void,
  ): Promise<void> {
    await earlier;
    let wasLate = false;
    const late = setTimeout(() => {
      wasLate = true;
      this.#hears.late();
    }, this.#limits.slowMillis);
    const result = await this.#send(spans);
    clearTimeout(late);
    this.#hears.told(spans.length, result, wasLate);
    report(result);
  }

  /** Resolves when all batches handed over so far have been reported. */
  sent(): Promise<void> {
    return this.#last;
  }

  async shutdown(): Promise<void> {
    await this.#last;
    await this.#inner.shutdown();
  }

  #send(spans: ReadableSpan[]): Promise<BatchResult> {
    const { exportTimeoutMillis } = this.#limits;
    return new Promise((resolve) => {
      const giveUp = (): void =>
        resolve({
          code: ExportResultCode.FAILED,
          error: new Error(`no answer within ${exportTimeoutMillis} ms`),
        });
      const timer = setTimeout(giveUp, exportTimeoutMillis);
      try {
        this.#inner.export(spans, (result) => {
          clearTimeout(timer);
          // Taken also when the batch was given up, lest it be held against the next.
          resolve({ ...result, rejected: this.#partly.take() });
        });
      } catch (error) {
        clearTimeout(timer);
        resolve({
          code: ExportResultCode.FAILED,
          error: error instanceof Error ? error : new Error(String(error)),
        });
      }
    });
  }
}
