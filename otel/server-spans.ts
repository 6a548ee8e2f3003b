import { SpanKind, trace, type HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { ClockAnchor } from '../src/record/clock.ts';
import type { RunRecord } from '../src/record/record.ts';

interface Started {
  readonly span: ReadableSpan;
  /** The monotonic clock as the span started. */
  readonly hrtimeNs: bigint;
}

/** Runs whose request is being served are few, and so are runs that are kept; this bounds both. */
const maxKept = 1_000;

/** The spans of incoming requests: the clock their runs are drawn by, and the parent in a run's trace.json. */
export class ServerSpans implements SpanProcessor {
  readonly #started = new WeakMap<object, Started>();
  readonly #inFlight = new Map<string, ReadableSpan>();
  readonly #ofRun = new Map<string, ReadableSpan>();

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

  /** Remembers the active request's span, whose id the run's record will carry as its parent's. */
  expectRun(): void {
    const span = this.#active()?.span;
    if (span === undefined) return;
    setBounded(this.#inFlight, span.spanContext().spanId, span);
  }

  /** Ties the request's span to the run. */
  keepFor(record: RunRecord): void {
    const span = this.#inFlight.get(record.trace.parentSpanId ?? '');
    if (span !== undefined) setBounded(this.#ofRun, record.id, span);
  }

  /** The span of the request that started the run; `null` where there was none, or it was not traced. */
  of(record: RunRecord): ReadableSpan | null {
    return this.#ofRun.get(record.id) ?? null;
  }

  #active(): Started | null {
    const span = trace.getActiveSpan();
    return span === undefined ? null : (this.#started.get(span) ?? null);
  }
}

function epochNs([seconds, nanoseconds]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

/** Forgets the oldest entry when there are too many. */
function setBounded(spans: Map<string, ReadableSpan>, key: string, span: ReadableSpan): void {
  spans.set(key, span);
  const oldest = spans.keys().next();
  if (spans.size > maxKept && oldest.done === false) spans.delete(oldest.value);
}
