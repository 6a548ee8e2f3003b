import { SpanKind, trace, type HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { ClockAnchor } from '../src/record/clock.ts';
import type { RunRecord, TraceIds } from '../src/record/record.ts';

interface Started {
  readonly span: ReadableSpan;
  /** The monotonic clock as the span started. */
  readonly hrtimeNs: bigint;
}

/** The spans of incoming requests: the clock their runs are drawn by, and the parent in a run's trace.json. */
export class ServerSpans implements SpanProcessor {
  readonly #started = new WeakMap<object, Started>();
  /** Of runs under way, by the list of their tasks' ids, which their records have as well. */
  readonly #ofRunsUnderWay = new WeakMap<TraceIds['taskSpanIds'], ReadableSpan>();
  /**
   * Of runs that are over, by the ids of their spans. The older half is let go of as a whole: a Map that loses its first
   * entries one by one gets slow.
   */
  #ofRuns = new Map<string, ReadableSpan>();
  #ofEarlierRuns = new Map<string, ReadableSpan>();
  /** Of so many runs at least that ended last. */
  remembered = 100;

  onStart(span: ReadableSpan): void {
    if (span.kind === SpanKind.SERVER) this.#started.set(span, { span, hrtimeNs: process.hrtime.bigint() });
  }

  onEnd(): void {}

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * A clock for a run that starts now. Under a request that is traced it is the server span's own: the SDK starts that
   * span at a whole millisecond and measures its length by the monotonic clock, so an instant after its start must be
   * drawn as long after that whole millisecond, or a run could seem to end after the request it belongs to.
   */
  anchor(): ClockAnchor {
    const originNs = process.hrtime.bigint();
    const started = this.#active();
    const epochOriginNs =
      started === null
        ? BigInt(Date.now()) * 1_000_000n
        : epochNs(started.span.startTime) + (originNs - started.hrtimeNs);
    return { name: 'hrtime', originNs: originNs.toString(), epochOriginNs: epochOriginNs.toString() };
  }

  /** The active request's span; `null` where there is none, or it is not traced. */
  get active(): ReadableSpan | null {
    return this.#active()?.span ?? null;
  }

  /** This request started the run with these ids. */
  tie(span: ReadableSpan, { taskSpanIds }: Pick<TraceIds, 'taskSpanIds'>): void {
    this.#ofRunsUnderWay.set(taskSpanIds, span);
  }

  /** The run is over: from now on its request is known by the record alone, also one that was read from JSON. */
  remember({ trace: { runSpanId, taskSpanIds } }: RunRecord): void {
    const span = this.#ofRunsUnderWay.get(taskSpanIds);
    if (span === undefined) return;
    if (this.#ofRuns.size >= this.remembered) {
      this.#ofEarlierRuns = this.#ofRuns;
      this.#ofRuns = new Map();
    }
    this.#ofRuns.set(runSpanId, span);
  }

  /** The span of the request that started the run; `null` where there was none, or it was not traced. */
  of({ trace: { runSpanId } }: RunRecord): ReadableSpan | null {
    return this.#ofRuns.get(runSpanId) ?? this.#ofEarlierRuns.get(runSpanId) ?? null;
  }

  #active(): Started | null {
    const span = trace.getActiveSpan();
    return span === undefined ? null : (this.#started.get(span) ?? null);
  }
}

function epochNs([seconds, nanoseconds]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}
