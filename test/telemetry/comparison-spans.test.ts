import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategiesOf } from '../../src/bench/strategies-of.ts';
import { BenchError } from '../../src/errors.ts';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import { problemSchema, runListSchema } from '../../src/http/schemas.ts';
import { workloads } from '../../src/workloads/registry.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';
import type { RunningService } from '../support/service.ts';
import { startTracedService } from '../support/traced-service.ts';
import { receivedTelemetry } from './telemetry-under-test.ts';

/** Comparisons and shares, by the service as users start it. */
let service: RunningService;
let receiver: OtlpReceiver;
let stop: () => Promise<void>;
beforeAll(async () => {
  ({ service, receiver, stop } = await startTracedService({ EMULATOR_LATENCY_MS: '10' }));
});
afterAll(() => stop());

const quick = '/compare/fib?n=12&tasks=2&strategies=single,threads&rounds=3&warmup=1';

async function compared(path: string) {
  const { status, text } = await service.get(path);
  if (status !== 200) throw new Error(text);
  return comparisonSchema.parse(JSON.parse(text));
}

describe('the traces of a comparison', () => {
  it('are one of its own, with a span a run, and one for each run; the two spans of a run are linked both ways', async () => {
    const { comparison, cells, trace } = await compared(quick);
    const runTraces = cells.flatMap(({ results }) =>
      results.flatMap(({ strategy, traces }) =>
        traces.map((url) => ({ strategy, traceId: url.split('/').at(-1) ?? '' })),
      ),
    );
    expect(new Set(runTraces.map(({ traceId }) => traceId)).size).toBe(6);
    const own = await spansOf(trace?.traceId ?? '', 2 + 8);
    const root = own.find(({ name }) => name === 'compare fib');
    expect(root?.spanId).toBe(trace?.spanId);
    expect(root?.attributes).toMatchObject({ 'bench.comparison.id': comparison.id, 'bench.workload': 'fib' });
    expect(own.find(({ spanId }) => spanId === root?.parentSpanId)?.name).toBe('GET /compare/:workload');
    const rounds = own.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(rounds.map(({ name }) => name).toSorted()).toEqual([
      'round 1 single',
      'round 1 threads',
      'round 2 single',
      'round 2 threads',
      'round 3 single',
      'round 3 threads',
      'warmup single',
      'warmup threads',
    ]);
    // Nothing of the runs themselves.
    expect(own).toHaveLength(2 + 8);
    for (const { strategy, traceId } of runTraces) {
      const spans = await spansOf(traceId, 1 + 2);
      const run = spans.find(({ name }) => name === `run fib ${strategy}`);
      expect(spans).toHaveLength(3);
      expect(run?.parentSpanId).toBeNull();
      const [link] = run?.links ?? [];
      const standing = rounds.find(({ spanId }) => spanId === link?.spanId);
      expect([link?.traceId, standing?.attributes['bench.strategy']]).toEqual([trace?.traceId, strategy]);
      expect(standing?.attributes['bench.run.id']).toBe(run?.attributes['bench.run.id']);
      expect(standing?.links).toEqual([{ traceId, spanId: run?.spanId }]);
    }
  });

  it('keep its runs for /runs', async () => {
    await compared(quick);
    const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
    expect(runs.slice(0, 8).map(({ workload, tasks }) => `${workload} ×${tasks}`)).toEqual(
      Array(8).fill('fib ×2'),
    );
  });
});

describe('a comparison that does not come to its end', () => {
  const cancelled = Object.assign(new Error('the client went away'), { code: 'cancelled' });
  const refused = new BenchError('no_objects', 'There are none.');

  it.each([
    ['a refusal', refused, 'no_objects'],
    ['a fault of the service', new TypeError('not a function'), 'TypeError'],
    ['a client that went away', cancelled, undefined],
    ['the end of the service', Symbol('shutting down'), undefined],
  ])('says so on its spans: %s', async (_, error, type) => {
    const under = await receivedTelemetry();
    const comparison = under.telemetry.beginComparison({ id: 'c', workload: 'fib' });
    const running = comparison.standFor({ round: 1, strategy: 'async' }, () => Promise.reject(error));
    await expect(running).rejects.toBe(error);
    comparison.end(error);
    await under.telemetry.flush();
    const spans = ['compare fib', 'round 1 async'].map((name) => under.receiver.named(name));
    await under.end();
    for (const { status, attributes } of spans) {
      expect(attributes['error.type']).toBe(type);
      expect(status.code).toBe(type === undefined ? 'UNSET' : 'ERROR');
    }
  });
});

describe('while a comparison lasts', () => {
  const long = '/compare/sleep?ms=100&tasks=2&strategies=single,async&rounds=1000&warmup=0';

  it('others are told so, until its client has gone', async () => {
    const gone = new AbortController();
    const lasting = fetch(service.url + long, { signal: gone.signal }).catch((error: unknown) => error);
    await expect
      .poll(async () => (await service.get('/bench/fib?n=1&tasks=1')).status, { interval: 20 })
      .toBe(503);
    for (const path of ['/bench/fib?n=1&tasks=1', quick]) {
      const { status, text, headers } = await service.get(path);
      const { code } = problemSchema.parse(JSON.parse(text));
      expect([status, code, headers.get('retry-after')]).toEqual([503, 'comparison_running', '5']);
    }
    expect((await service.get('/healthz')).status).toBe(200);
    gone.abort();
    await lasting;
    await expect.poll(async () => (await service.get('/bench/fib?n=1&tasks=1')).status).toBe(200);
    expect((await compared(quick)).comparison.rounds).toBe(3);
  });

  it('runs that were in flight before it end first, undisturbed', async () => {
    const before = service.run('/bench/sleep?ms=600&tasks=1&strategy=async');
    await sleep(200);
    const { cells } = await compared(quick);
    expect((await before).runner.runsInFlight).toBe(0);
    const disturbed = cells.flatMap(({ results }) => results.flatMap(({ disturbances }) => disturbances));
    expect(disturbed.filter(({ code }) => code === 'runs_in_flight')).toEqual([]);
  });

  it('the service can be told to end: its client is answered', async () => {
    const other = await startTracedService();
    const answering = other.service.get('/compare/sleep?ms=100&tasks=2&strategies=single,async&rounds=1000');
    await sleep(1_000);
    const ending = other.service.stop();
    const { status, text } = await answering;
    expect([status, problemSchema.parse(JSON.parse(text)).code]).toEqual([503, 'shutting_down']);
    expect(await ending).toBe(0);
    await other.stop();
  });
});

describe('the shares of a run', () => {
  const world = worldOf(targetAt(null));
  const light: Readonly<Record<string, string>> = { fib: '&n=20', sleep: '&ms=20' };
  const cells = workloads.flatMap(({ declaration: { name }, declaration }) =>
    strategiesOf(declaration, world)
      .filter(({ refusal }) => refusal === null)
      .map((strategy) => [name, strategy.name] as const),
  );

  it.each(cells)(
    '%s %s: add up to its duration, and none but what is before and after its tasks is unaccounted for',
    async (workload, strategy) => {
      const { durationMs, signing, tasks, analysis } = await service.run(
        `/bench/${workload}?strategy=${strategy}&tasks=4${light[workload] ?? ''}`,
      );
      const { shares } = analysis;
      expect(sum(Object.values(shares))).toBeCloseTo(durationMs, digits);
      const queuedMs = tasks.map((task) => ms(task.startMs) - ms(task.prepareMs) - ms(task.queueMs));
      const returnedMs = tasks.map((task) => ms(task.endMs) + ms(task.handBackMs));
      const before = Math.max(...queuedMs) - (signing?.durationMs ?? 0);
      const after = durationMs - Math.max(...returnedMs);
      expect(shares.other).toBeLessThanOrEqual(before + after + rounding);
      expect(shares.run).toBeGreaterThan(0);
    },
  );

  it.each(['single', 'async'])(
    'fib %s: one task after another, so all of them are in it',
    async (strategy) => {
      const { tasks, analysis } = await service.run(`/bench/fib?strategy=${strategy}&tasks=10&n=24`);
      const { run, contention } = analysis.shares;
      const ranMs = tasks.map(({ startMs, endMs }) => ms(endMs) - ms(startMs));
      expect(run + contention).toBeCloseTo(sum(ranMs), digits);
    },
  );
});

/** Each figure of an answer is rounded to the microsecond; this is more than those of a few tasks together. */
const rounding = 0.05;
/** The same, as Vitest's `toBeCloseTo` has it. */
const digits = 1;

function ms(told: number | null): number {
  if (told === null) throw new Error('A task that ran tells all its times.');
  return told;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The spans of a trace, once there are so many. */
async function spansOf(traceId: string, count: number) {
  await receiver.received(count, traceId);
  return receiver.spans.filter((span) => span.traceId === traceId);
}
