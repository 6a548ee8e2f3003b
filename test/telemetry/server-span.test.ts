import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  trace,
  type Span,
} from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clockFrom } from '../../src/record/clock.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { OtlpReceiver, parseTraceJson } from '../support/otlp-receiver.ts';
import { failedTask, okTask, plan, runOf } from './run-records.ts';
import { telemetryWith, type TelemetryUnderTest } from './telemetry-under-test.ts';

let receiver: OtlpReceiver;
let under: TelemetryUnderTest;

beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
  under = telemetryWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
});

afterEach(async () => {
  await under.end();
  await receiver.close();
});

/** What the HTTP instrumentation does with a request, around `handle`. */
async function serve<T>(
  headers: Readonly<Record<string, string>>,
  handle: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  const span = trace.getTracer('http').startSpan('GET', { kind: SpanKind.SERVER }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => handle(span));
  } finally {
    span.end();
  }
}

/** A run whose instants are read from its clock as they happen. */
async function timedRun(): Promise<RunRecord> {
  const { telemetry } = under;
  const ids = telemetry.allotIds({ ...plan, tasks: 1 });
  const clock = telemetry.anchorClock();
  const now = clockFrom(clock.originNs);
  const startedAtNs = now();
  const taskStartedAtNs = now();
  await sleep(2);
  const task = okTask(0, { startedAtNs: taskStartedAtNs, endedAtNs: now() });
  return runOf([task], ids, {
    clock,
    startedAtNs,
    signing: { fromNs: startedAtNs, toNs: taskStartedAtNs },
    endedAtNs: now(),
  });
}

describe('a run under a request', () => {
  test('lies inside the server span, however the wall clock’s milliseconds fall', async () => {
    for (let round = 0; round < 30; round += 1) {
      const record = await serve({}, timedRun);
      await under.telemetry.emit(record);
    }
    await under.telemetry.flush();
    const servers = receiver.spans.filter(({ kind }) => kind === 'SERVER');
    expect(servers).toHaveLength(30);
    for (const server of servers) {
      const [run] = receiver.children(server);
      expect(run?.name).toBe('run s3 presigned-async');
      expect(run?.startNs).toBeGreaterThanOrEqual(server.startNs);
      expect(run?.endNs).toBeLessThanOrEqual(server.endNs);
    }
  });

  test('keeps its distance to the server span’s start, also where its clock is anchored late', async () => {
    await serve({}, async () => {
      const first = under.telemetry.anchorClock();
      await sleep(20);
      const second = under.telemetry.anchorClock();
      expect(BigInt(second.epochOriginNs) - BigInt(first.epochOriginNs)).toBe(
        BigInt(second.originNs) - BigInt(first.originNs),
      );
    });
  });

  test('continues the trace that the request came with', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const record = await serve({ traceparent }, timedRun);
    await under.telemetry.emit(record);
    await under.telemetry.flush();
    expect(record.trace.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(record.trace.sampled).toBe(true);
    expect(under.telemetry.traceparents(record.trace)).toEqual([
      `00-${record.trace.traceId}-${receiver.named('task s3 0').spanId}-01`,
    ]);
    expect(receiver.named('GET').parentSpanId).toBe('b7ad6b7169203331');
    expect(receiver.named('run s3 presigned-async').parentSpanId).toBe(receiver.named('GET').spanId);
  });

  test('is not sampled where the request says that its trace is not', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const record = await serve({ traceparent }, timedRun);
    await under.telemetry.emit(record);
    await under.telemetry.flush();
    expect(record.trace).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', sampled: false });
    // Who is asked learns it too.
    expect(under.telemetry.traceparents(record.trace)).toEqual([
      expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00$/u),
    ]);
    expect(receiver.requests).toBe(0);
  });
});

function isSampled(span: Span): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

const sampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const unsampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe.each([
  ['always_on', undefined],
  ['always_off', undefined],
  ['traceidratio', '0.5'],
  ['parentbased_always_on', undefined],
  ['parentbased_always_off', undefined],
  ['parentbased_traceidratio', '0.5'],
])('with OTEL_TRACES_SAMPLER=%s', (sampler, argument) => {
  test('a run is sampled where its request is, whatever that came with', async () => {
    await under.end();
    under = telemetryWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: sampler,
      ...(argument !== undefined && { OTEL_TRACES_SAMPLER_ARG: argument }),
    });
    const own = Array.from({ length: 30 }, () => ({}));
    const requests = [{ traceparent: sampled }, { traceparent: unsampled }, ...own];
    const decided = await Promise.all(
      requests.map((headers) =>
        serve(headers, async (span) => ({ request: isSampled(span), run: (await timedRun()).trace })),
      ),
    );
    expect(decided.map(({ run }) => run.sampled)).toEqual(decided.map(({ request }) => request));
    const some = sampler.endsWith('traceidratio') ? [true, false] : [!sampler.endsWith('always_off')];
    const ofOwn = new Set(decided.slice(2).map(({ run }) => run.sampled));
    expect(ofOwn).toEqual(new Set(some));
  });
});

describe('trace.json', () => {
  test('has the very spans that the collector got, the request’s own included', async () => {
    const record = await serve({}, async () => {
      const ids = under.telemetry.allotIds({ ...plan, tasks: 2 });
      const changes = { outcome: 'tasks_failed', failure: 'one failed' } as const;
      return runOf([okTask(0), failedTask(1)], ids, changes);
    });
    await under.telemetry.emit(record);
    await under.telemetry.flush();
    const inFile = parseTraceJson(await text(under.telemetry.traceJson(record)));
    expect(inFile.map(({ name }) => name)).toEqual([
      'GET',
      'run s3 presigned-async',
      'sign',
      'task s3 0',
      'task s3 1',
    ]);
    expect(inFile).toEqual(expect.arrayContaining(receiver.spans));
    expect(inFile).toHaveLength(receiver.spans.length);
  });

  test('has the request of a run that others overtook, until so many ended later', async () => {
    const { telemetry } = under;
    telemetry.rememberRequests(3);
    const others = async (): Promise<void> => {
      for (let other = 0; other < 8; other += 1) await telemetry.emit(await serve({}, timedRun));
    };
    const long = await serve({}, timedRun);
    await others();
    await telemetry.emit(long);
    // As it is kept.
    const kept: RunRecord = JSON.parse(JSON.stringify(long));
    const first = async () => parseTraceJson(await text(telemetry.traceJson(kept)))[0]?.name;
    expect(await first()).toBe('GET');
    await others();
    expect(await first()).toBe('run s3 presigned-async');
  });

  test('is there for a run that was not sampled and had no collector', async () => {
    await under.end();
    under = telemetryWith({ OTEL_TRACES_EXPORTER: 'none' });
    const record = runOf([okTask(0)], under.telemetry.allotIds({ ...plan, tasks: 1 }));
    await under.telemetry.emit(record);
    const inFile = parseTraceJson(await text(under.telemetry.traceJson(record)));
    expect(inFile.map(({ spanId }) => spanId)).toEqual([
      record.trace.runSpanId,
      record.trace.signSpanId,
      ...record.trace.taskSpanIds,
    ]);
    expect(inFile[0]).toMatchObject({ traceId: record.trace.traceId, parentSpanId: null });
    expect(inFile[0]?.resource['service.name']).toBe('fanout-bench');
  });
});
