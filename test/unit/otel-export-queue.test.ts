import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { TracerProvider, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { beforeEach, describe, expect, test } from 'vitest';
import { Collector } from '../../otel/collector.ts';
import { ExportQueue } from '../../otel/export-queue.ts';
import { Notices, type Notice } from '../../otel/notices.ts';

/** An exporter whose batches succeed or fail when the test says so, or succeed at once. */
class HeldExporter implements SpanExporter {
  holds = true;
  readonly batches: { readonly spans: readonly ReadableSpan[]; readonly end: (ok: boolean) => void }[] = [];

  export(spans: ReadableSpan[], report: (result: ExportResult) => void): void {
    const end = (ok: boolean): void =>
      report(
        ok
          ? { code: ExportResultCode.SUCCESS }
          : { code: ExportResultCode.FAILED, error: new Error('refused') },
      );
    this.batches.push({ spans, end });
    if (!this.holds) end(true);
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const limits = {
  maxQueueSize: 20,
  maxExportBatchSize: 10,
  scheduledDelayMillis: 1,
  exportTimeoutMillis: 60_000,
  slowMillis: 60_000,
};
/** A tenth of the queue is kept for spans that can't wait. */
const reservable = 18;

/** What one run of them may reserve. */
const half = 9;
/** Every batch that is taken is taken whole. */
const whole = { take: () => null };

let exporter: HeldExporter;
let queue: ExportQueue;
let notices: Notice[];
let provider: TracerProvider;

beforeEach(() => {
  notices = [];
  const said = new Notices();
  said.listen((notice) => notices.push(notice));
  exporter = new HeldExporter();
  queue = new ExportQueue(exporter, new Collector('http://collector/', said), limits, whole);
  provider = new TracerProvider({ spanProcessors: [queue] });
});

function add(spans: number): void {
  const tracer = provider.getTracer('test');
  for (let made = 0; made < spans; made += 1) tracer.startSpan('span').end();
}

/** Spans that were made elsewhere, as those of runs are. */
function madeSpans(count: number): ReadableSpan[] {
  const made: ReadableSpan[] = [];
  const maker = new TracerProvider({
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => void made.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  const tracer = maker.getTracer('test');
  while (made.length < count) tracer.startSpan('span').end();
  return made;
}

/** Waits for batch `index` to be handed over, and ends it. */
async function endBatch(index: number, ok: boolean): Promise<void> {
  await expect.poll(() => exporter.batches.length, { interval: 1 }).toBeGreaterThan(index);
  exporter.batches[index]?.end(ok);
}

/** Whether a promise is settled once everything that is due has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const mark = (): void => void (done = true);
  void promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('room for a run', () => {
  test('is there at once while the queue is not full, and is counted until it is released', async () => {
    const first = await queue.reserve(half);
    await queue.reserve(half);
    const third = queue.reserve(1);
    expect(await settled(third)).toBe(false);
    first.release();
    first.release();
    (await third).release();
    expect(await settled(queue.reserve(half))).toBe(true);
    expect(await settled(queue.reserve(1))).toBe(false);
  });

  test('comes when the collector has taken what was waiting', async () => {
    add(10);
    const room = queue.reserve(half);
    expect(await settled(room)).toBe(false);
    await endBatch(0, true);
    await room;
    expect(queue.counts).toEqual({ pending: 0, exported: 10, dropped: 0 });
  });

  test('is given in the order in which it was asked for', async () => {
    const holders = [await queue.reserve(half), await queue.reserve(half)];
    const large = queue.reserve(half);
    const small = queue.reserve(1);
    holders[0]?.release();
    const room = await large;
    expect(await settled(small)).toBe(false);
    room.release();
    await small;
  });

  test('is half of all for a run with more spans, which so needs no moment without a request', async () => {
    add(half);
    await queue.reserve(1_000);
    expect(await settled(queue.reserve(1))).toBe(false);
  });

  test('is no longer waited for by a run that was given up, and those behind it move up', async () => {
    await queue.reserve(half);
    const holder = await queue.reserve(half - 1);
    const leaving = new AbortController();
    const large = queue.reserve(half, leaving.signal);
    const small = queue.reserve(1);
    leaving.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    await small;
    holder.release();
    await expect(queue.reserve(1, leaving.signal)).rejects.toThrow('gone');
  });

  test('is not waited for while a batch is late, but again when the next is in time', async () => {
    const said = new Collector('http://collector/', new Notices());
    queue = new ExportQueue(exporter, said, { ...limits, slowMillis: 20 }, whole);
    provider = new TracerProvider({ spanProcessors: [queue] });
    add(10);
    // Nobody ends the batch.
    const room = await queue.reserve(half);
    expect(queue.counts).toEqual({ pending: 10, exported: 0, dropped: 0 });
    room.release();
    exporter.holds = false;
    await endBatch(0, true);
    add(10);
    await expect.poll(() => queue.counts.pending).toBe(0);
    await queue.reserve(half);
    await queue.reserve(half);
    expect(await settled(queue.reserve(1))).toBe(false);
  });

  test('is not waited for once the collector refuses', async () => {
    add(10);
    await queue.reserve(8);
    const waiting = queue.reserve(half);
    expect(await settled(waiting)).toBe(false);
    await endBatch(0, false);
    await waiting;
    await queue.reserve(half);
  });
});

describe('the queue', () => {
  test('makes a run wait whose spans do not fit, so that all of them arrive', async () => {
    add(20);
    const added = queue.add(madeSpans(5));
    expect(await settled(added)).toBe(false);
    await endBatch(0, true);
    await added;
    await endBatch(1, true);
    await endBatch(2, true);
    await expect.poll(() => queue.counts).toEqual({ pending: 0, exported: 25, dropped: 0 });
  });

  test.each([1, 2, 9, 18, 20, 21, 38, 500])(
    'takes %i spans at once, more than it holds among them, and loses none',
    async (count) => {
      const spans = madeSpans(count);
      exporter.holds = false;
      await queue.add(spans);
      await queue.forceFlush();
      expect(exporter.batches.flatMap((batch) => batch.spans)).toEqual(spans);
      expect(queue.counts).toEqual({ pending: 0, exported: count, dropped: 0 });
    },
  );

  test('is filled by runs without waiting for the time of a batch', async () => {
    const patient = { ...limits, maxExportBatchSize: limits.maxQueueSize, scheduledDelayMillis: 600_000 };
    queue = new ExportQueue(exporter, new Collector('http://collector/', new Notices()), patient, whole);
    exporter.holds = false;
    await queue.add(madeSpans(100));
    expect(queue.counts.dropped).toBe(0);
  });

  test('lets runs that wait in one after another, so that neither takes the room of the other', async () => {
    add(reservable);
    const both = [queue.add(madeSpans(9)), queue.add(madeSpans(9))] as const;
    await endBatch(0, true);
    await both[0];
    expect(await settled(both[1])).toBe(false);
    await endBatch(1, true);
    await both[1];
    expect(queue.counts).toEqual({ pending: 16, exported: 20, dropped: 0 });
  });

  test('keeps room for the spans of requests while a run fills it', async () => {
    void queue.add(madeSpans(500));
    add(limits.maxQueueSize - reservable);
    expect(queue.counts.dropped).toBe(0);
    await endBatch(0, true);
    await settled(Promise.resolve());
    expect(queue.counts.pending).toBeGreaterThan(0);
    add(limits.maxQueueSize - reservable);
    expect(queue.counts.dropped).toBe(0);
  });

  test('is bounded: what does not fit is dropped, counted and said once', () => {
    add(25);
    expect(queue.counts).toEqual({ pending: 20, exported: 0, dropped: 5 });
    expect(notices.map(({ code }) => code)).toEqual(['spans_dropped']);
  });

  test('says once that the collector refuses and once that it is back, with what was lost between', async () => {
    add(20);
    await endBatch(0, false);
    await endBatch(1, false);
    await expect.poll(() => queue.counts).toEqual({ pending: 0, exported: 0, dropped: 20 });
    add(1);
    await endBatch(2, true);
    await expect.poll(() => queue.counts).toEqual({ pending: 0, exported: 1, dropped: 20 });
    expect(notices.map(({ level, code }) => `${level} ${code}`)).toEqual([
      'warn collector_unreachable',
      'info collector_back',
    ]);
    expect(notices[0]?.message).toContain('http://collector/');
    expect(notices[1]?.message).toContain('20 spans were dropped');
  });

  test('sends one batch after another, also when it is flushed', async () => {
    add(20);
    const flushed = queue.forceFlush();
    await endBatch(0, true);
    expect(exporter.batches).toHaveLength(1);
    await endBatch(1, true);
    await flushed;
    expect(queue.counts.exported).toBe(20);
  });

  test('counts what comes after the end as dropped', async () => {
    await queue.shutdown();
    add(1);
    expect(queue.counts).toEqual({ pending: 0, exported: 0, dropped: 1 });
  });
});
