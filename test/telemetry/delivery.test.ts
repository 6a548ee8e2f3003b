import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Telemetry } from '../../otel/sdk.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { dawdleMs, OtlpReceiver } from '../support/otlp-receiver.ts';
import { attempt, okTask, plan, runOf } from './run-records.ts';
import { telemetryWith, type TelemetryUnderTest } from './telemetry-under-test.ts';

let receiver: OtlpReceiver;
let under: TelemetryUnderTest;

beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
});

afterEach(async () => {
  await under.end();
  await receiver.close();
});

function start(variables: Readonly<Record<string, string>> = {}): Telemetry {
  under = telemetryWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...variables });
  return under.telemetry;
}

/** A run as the service has it: admitted when there is room, emitted, its room given back. */
async function run(telemetry: Telemetry, tasks: number): Promise<RunRecord> {
  const room = await telemetry.reserveRoom({ tasks, detail: 'tasks', attempts: 1 });
  const ids = telemetry.allotIds({ ...plan, tasks });
  const record = runOf(
    Array.from({ length: tasks }, (_, index) => okTask(index)),
    ids,
  );
  await telemetry.emit(record);
  room.release();
  return record;
}

describe('while the collector accepts', () => {
  test('spans keep within the limits that the SDK variables set, those made from a record too', async () => {
    const telemetry = start({
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '4',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '3',
    });
    const { trace } = await run(telemetry, 1);
    await telemetry.flush();
    expect(receiver.named('run s3 presigned-async', trace.traceId).attributes).toEqual({
      'bench.run.id': 'run-',
      'bench.workload': 's3',
      'bench.strategy': 'pres',
    });
    expect(receiver.byTrace(trace.traceId)).toHaveLength(3);
  });

  test('a run of 10,000 tasks loses no span', async () => {
    const telemetry = start();
    const { trace } = await run(telemetry, 10_000);
    await receiver.received(10_002, trace.traceId);
    expect(receiver.taskSpans(trace.traceId).map(({ spanId }) => spanId)).toEqual(trace.taskSpanIds);
    await expect.poll(() => telemetry.counts).toEqual({ pending: 0, exported: 10_002, dropped: 0 });
    expect(under.notices).toEqual([]);
  });

  test('ten runs at once that need more room than there is lose no span either', async () => {
    const telemetry = start({ OTEL_BSP_MAX_QUEUE_SIZE: '1200', OTEL_BSP_SCHEDULE_DELAY: '5' });
    await Promise.all(Array.from({ length: 10 }, () => run(telemetry, 1_000)));
    await receiver.received(10_020);
    await expect.poll(() => telemetry.counts).toEqual({ pending: 0, exported: 10_020, dropped: 0 });
  });

  test('a run with more spans than the queue ever holds loses none', async () => {
    const telemetry = start({ OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_SCHEDULE_DELAY: '5' });
    const { trace } = await run(telemetry, 1_000);
    await receiver.received(1_002, trace.traceId);
    expect(telemetry.counts.dropped).toBe(0);
  });

  test.each([1, 2, 5, 20, 37])(
    'a queue of %i spans, fewer than one task may have, delivers them and lets the next run in',
    async (size) => {
      const telemetry = start({ OTEL_BSP_MAX_QUEUE_SIZE: `${size}`, OTEL_BSP_SCHEDULE_DELAY: '1' });
      const detailed = { ...plan, tasks: 2, detail: 'phases', attempts: 5 } as const;
      const attempts = Array.from({ length: 5 }, () => attempt);
      // The task's own, its queue and prepare, and each attempt with three parts.
      const spansOfTask = 3 + 5 * 4;
      for (let made = 1; made <= 2; made += 1) {
        const room = await telemetry.reserveRoom(detailed);
        const ids = telemetry.allotIds(detailed);
        const tasks = [okTask(0, { attempts }), okTask(1, { attempts })];
        await telemetry.emit(runOf(tasks, ids, { plan: detailed }));
        room.release();
        await receiver.received(2 + 2 * spansOfTask, ids.traceId);
      }
      await expect
        .poll(() => telemetry.counts)
        .toEqual({ pending: 0, exported: 2 * (2 + 2 * spansOfTask), dropped: 0 });
      expect(under.notices).toEqual([]);
    },
  );

  test('what waits is sent before the end', async () => {
    const telemetry = start({ OTEL_BSP_SCHEDULE_DELAY: '600000' });
    await run(telemetry, 10);
    await telemetry.shutdown();
    expect(receiver.spans).toHaveLength(12);
  });

  test('gzip is sent where it is asked for', async () => {
    const telemetry = start({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' });
    await run(telemetry, 10);
    await receiver.received(12);
    expect(receiver.requests).toBe(1);
  });
});

describe('with no collector', () => {
  test('runs go on, and there is one warning, which names the place', async () => {
    const { url } = receiver;
    await receiver.close();
    const telemetry = start({ OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
    expect(await telemetry.probeCollector()).toBe(false);
    for (let made = 0; made < 3; made += 1) {
      await run(telemetry, 10);
      await telemetry.flush();
    }
    expect(telemetry.counts).toEqual({ pending: 0, exported: 0, dropped: 36 });
    expect(under.notices.map(({ code }) => code)).toEqual(['collector_unreachable']);
    expect(under.notices[0]?.message).toContain(`${url}/v1/traces`);
    expect(telemetry.accepting).toBe(false);
  });

  test('the first batch says so where nobody asked before', async () => {
    await receiver.close();
    const telemetry = start({ OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
    await run(telemetry, 10);
    await telemetry.flush();
    expect(under.notices.map(({ code }) => code)).toEqual(['collector_unreachable']);
  });
});

describe('a collector that takes a batch in part', () => {
  test('has what it rejected counted as dropped, and said once until it takes all', async () => {
    const telemetry = start();
    receiver.behaviour = 'choose';
    for (let made = 0; made < 2; made += 1) {
      await run(telemetry, 10);
      await telemetry.flush();
    }
    expect(telemetry.counts).toEqual({ pending: 0, exported: 18, dropped: 6 });
    expect(under.notices).toEqual([
      {
        level: 'warn',
        code: 'spans_dropped',
        message: `The collector at ${receiver.url}/v1/traces rejects spans (three are too old): 3 spans were dropped.`,
      },
    ]);
    receiver.behaviour = 'accept';
    await run(telemetry, 10);
    await telemetry.flush();
    expect(telemetry.counts).toEqual({ pending: 0, exported: 30, dropped: 6 });
    receiver.behaviour = 'choose';
    await run(telemetry, 10);
    await telemetry.flush();
    expect(under.notices).toHaveLength(2);
    expect(telemetry.accepting).toBe(true);
  });
});

describe('a collector that stops accepting', () => {
  test('is told from its return: spans flow again, and those lost between are counted and said', async () => {
    const telemetry = start();
    expect(await telemetry.probeCollector()).toBe(true);
    receiver.behaviour = 'refuse';
    await run(telemetry, 10);
    await telemetry.flush();
    expect(telemetry.accepting).toBe(false);
    receiver.behaviour = 'accept';
    const { trace } = await run(telemetry, 20);
    await receiver.received(22, trace.traceId);
    expect(receiver.spans).toHaveLength(22);
    await expect.poll(() => telemetry.counts).toEqual({ pending: 0, exported: 22, dropped: 12 });
    expect(under.notices.map(({ code }) => code)).toEqual(['collector_unreachable', 'collector_back']);
    expect(under.notices[1]?.message).toContain('12 spans were dropped');
  });

  test('and takes without answering holds no run up, and not the end either', async () => {
    receiver.behaviour = 'hang';
    const telemetry = start({ OTEL_EXPORTER_OTLP_TIMEOUT: '100', OTEL_BSP_MAX_QUEUE_SIZE: '50' });
    for (let made = 0; made < 5; made += 1) await run(telemetry, 40);
    // They may all be over before its time is.
    await expect.poll(() => telemetry.accepting).toBe(false);
    const { pending, dropped } = telemetry.counts;
    expect(pending).toBeLessThanOrEqual(50);
    expect(pending + dropped).toBe(5 * 42);
    await telemetry.shutdown(1);
  });
});

describe('a collector that accepts, but slowly', () => {
  /** One batch of 20 spans every {@link dawdleMs}, which is more than half of the timeout; room for 60. */
  const slow = {
    OTEL_BSP_MAX_QUEUE_SIZE: '60',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20',
    OTEL_BSP_SCHEDULE_DELAY: '1',
    OTEL_EXPORTER_OTLP_TIMEOUT: `${dawdleMs * 1.5}`,
  };

  test('is not waited for; what does not fit is counted and said', async () => {
    receiver.behaviour = 'dawdle';
    const telemetry = start(slow);
    const runs = 100;
    for (let made = 0; made < runs; made += 1) await run(telemetry, 28);
    // To wait for it would be to send it nearly everything, a batch after another.
    expect(receiver.requests).toBeLessThan(10);
    const { pending, exported, dropped } = telemetry.counts;
    expect(pending).toBeLessThanOrEqual(60);
    expect(pending + exported + dropped).toBe(runs * 30);
    expect(dropped).toBeGreaterThan(80 * 30);
    expect(telemetry.accepting).toBe(true);
    expect(under.notices.map(({ code }) => code)).toEqual(['spans_dropped']);
  });

  test('is waited for again when it is quick again', async () => {
    receiver.behaviour = 'dawdle';
    const telemetry = start(slow);
    for (let made = 0; made < 10; made += 1) await run(telemetry, 28);
    receiver.behaviour = 'accept';
    await expect.poll(() => telemetry.counts.pending, { timeout: 5_000 }).toBe(0);
    const { dropped } = telemetry.counts;
    expect(dropped).toBeGreaterThan(0);
    await run(telemetry, 1_000);
    await telemetry.flush();
    expect(telemetry.counts.dropped).toBe(dropped);
  });
});

describe('by the standard variables', () => {
  test('an unsampled run says so and emits nothing', async () => {
    const telemetry = start({ OTEL_TRACES_SAMPLER: 'always_off' });
    const { trace } = await run(telemetry, 10);
    await telemetry.flush();
    expect(trace.sampled).toBe(false);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/u);
    expect(receiver.requests).toBe(0);
  });

  test.each([{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none' }])(
    '%j sends nothing anywhere, and runs have ids all the same',
    async (variables) => {
      const telemetry = start(variables);
      const { trace } = await run(telemetry, 10);
      await telemetry.flush();
      expect(telemetry.collectorUrl).toBeNull();
      expect(await telemetry.probeCollector()).toBeNull();
      expect(trace).toMatchObject({ sampled: false, parentSpanId: null });
      expect(trace.traceId).not.toMatch(/^0+$/u);
      expect(new Set([trace.runSpanId, trace.signSpanId, ...trace.taskSpanIds]).size).toBe(12);
      expect(receiver.requests).toBe(0);
      expect(under.notices).toEqual([]);
    },
  );

  test('service name, resource and endpoint are the user’s', async () => {
    const telemetry = start({
      OTEL_SERVICE_NAME: 'mine',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=not-this',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`,
    });
    await run(telemetry, 1);
    await receiver.received(3);
    expect(telemetry.collectorUrl).toBe(`${receiver.url}/v1/traces`);
    expect(receiver.spans[0]?.resource).toMatchObject({
      'service.name': 'mine',
      'deployment.environment.name': 'test',
    });
  });

  test('a protocol that does not exist is said, and JSON taken', async () => {
    const telemetry = start({ OTEL_EXPORTER_OTLP_PROTOCOL: 'carrier-pigeon' });
    await run(telemetry, 1);
    await receiver.received(3);
    expect(under.notices.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^unsupported_setting: .*carrier-pigeon.*http\/json/u),
    ]);
  });
});
