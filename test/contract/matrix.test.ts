import { beforeAll, describe, expect, it } from 'vitest';
import { poolRefusal } from '../../src/bench/combinations.ts';
import { pools } from '../../src/bench/parameters.ts';
import { strategiesOf } from '../../src/bench/strategies-of.ts';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { lightQuery } from '../support/light-work.ts';
import type { OtlpReceiver, ReceivedSpan } from '../support/otlp-receiver.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';
import type { RunningService } from '../support/service.ts';
import { startTracedService } from '../support/traced-service.ts';

/** One contract, held against every workload with every strategy and access, from the registries. */
const world = worldOf(targetAt(null));
const cells = workloads.flatMap(({ declaration }) =>
  strategiesOf(declaration, world).map((strategy) => ({ workload: declaration, strategy })),
);
const possible = cells
  .filter(({ strategy }) => strategy.refusal === null)
  .flatMap(({ workload, strategy }) =>
    pools.map((pool) => ({
      workload,
      strategy,
      pool,
      noPool: poolRefusal(workload, strategy.declaration, pool),
      title: `${workload.name} ${strategy.name} ${pool}`,
    })),
  );
const usable = possible.filter(({ noPool }) => noPool === null);
const refused = cells
  .filter(({ strategy }) => strategy.refusal !== null)
  .map(({ workload, strategy }) => ({
    workload,
    strategy,
    title: `${workload.name} ${strategy.name}`,
  }));
const tasks = 3;

let service: RunningService;
let receiver: OtlpReceiver;
beforeAll(async () => {
  const traced = await startTracedService({ EMULATOR_LATENCY_MS: '3' });
  ({ service, receiver } = traced);
  return traced.stop;
});

describe('every cell of the matrix', () => {
  it('is possible or refused with a reason, and the catalogue says the same', async () => {
    const { workloads: cards } = JSON.parse((await service.get('/workloads')).text);
    const told = cards.flatMap(
      (card: {
        name: string;
        strategies: { strategy: string; possible: boolean; pools: { warm: string | null } }[];
      }) =>
        card.strategies.map(
          ({ strategy, possible: can, pools: { warm } }) => `${card.name} ${strategy} ${can} ${warm}`,
        ),
    );
    const expected = cells.map(
      ({ workload, strategy: { name, refusal, declaration } }) =>
        `${workload.name} ${name} ${refusal === null} ${refusal ?? poolRefusal(workload, declaration, 'warm')}`,
    );
    expect(told).toEqual(expected);
  });

  it.each(refused)('$title is refused, and says why', async ({ workload, strategy }) => {
    const problem = await service.refused(`/bench/${workload.name}?strategy=${strategy.name}`, 400);
    expect(problem.code).toBe('unsupported_combination');
    expect(problem.detail).toContain(strategy.refusal);
  });

  it.each(possible.filter((cell) => !usable.includes(cell)))(
    '$title is refused, and says why',
    async ({ workload, strategy, pool, noPool }) => {
      const path = `/bench/${workload.name}?strategy=${strategy.name}&pool=${pool}`;
      const problem = await service.refused(path, 400);
      expect(problem).toMatchObject({
        code: 'unsupported_combination',
        errors: [{ field: 'pool', reason: noPool, allowed: ['cold'] }],
      });
    },
  );

  describe.each(usable)('$title', ({ workload, strategy, pool }) => {
    const path = `/bench/${workload.name}?strategy=${strategy.name}&pool=${pool}&tasks=${tasks}${lightQuery(workload.name)}`;

    it('answers with the run, every task ok, and times that add up', async () => {
      const body = await service.run(path);
      expect(body.run).toMatchObject({
        workload: workload.name,
        strategy: strategy.name,
        access: strategy.access,
        tasks,
        concurrency: strategy.declaration.tasksAtOnce === 'one' ? 1 : tasks,
        pool,
        join: 'all',
        attempts: 1,
        detail: 'tasks',
        target: 'emulator',
      });
      expect(body.outcome).toBe('ok');
      expect(body.tasks.map(({ index, state }) => [index, state])).toEqual([
        [0, 'ok'],
        [1, 'ok'],
        [2, 'ok'],
      ]);
      const signingMs = body.signing?.durationMs ?? 0;
      expect(Number(body.fanOutMs) + signingMs).toBeCloseTo(body.durationMs, 1);
      expect(body.signing === null).toBe(strategy.access !== 'presigned');
      for (const task of body.tasks) {
        expect(signingMs + Number(task.queueMs) + Number(task.prepareMs)).toBeCloseTo(
          Number(task.startMs),
          1,
        );
        expect(Number(task.endMs)).toBeLessThanOrEqual(body.durationMs + 0.001);
      }
    });

    it('leaves one server span, one run span, one task span a task, and sign where it signed', async () => {
      // A warm run finds what the one before it left.
      await service.run(path);
      const { run, trace, tasks: told } = await service.run(path);
      const reused = pool === 'warm';
      expect(told.map((task) => task.reused)).toEqual([reused, reused, reused]);
      const signs = strategy.access === 'presigned';
      await receiver.received(2 + tasks + (signs ? 1 : 0), trace.traceId);
      const spans = receiver.byTrace(trace.traceId);
      const names = spans.map(({ name }) => name).toSorted();
      expect(names).toEqual(
        [
          'GET /bench/:workload',
          `run ${workload.name} ${strategy.name}`,
          ...(signs ? ['sign'] : []),
          ...Array.from({ length: tasks }, (_, index) => `task ${workload.name} ${index}`),
        ].toSorted(),
      );
      const server = named(spans, 'GET /bench/:workload');
      const runSpan = named(spans, `run ${workload.name} ${strategy.name}`);
      expect([server.kind, runSpan.kind, runSpan.parentSpanId]).toEqual([
        'SERVER',
        'INTERNAL',
        server.spanId,
      ]);
      expect(runSpan.attributes).toMatchObject({
        'bench.run.id': run.id,
        'bench.workload': workload.name,
        'bench.strategy': strategy.name,
        'bench.pool': pool,
        'bench.tasks': tasks,
        'bench.outcome': 'ok',
      });
      const bars = spans.filter(({ name }) => name.startsWith('task '));
      expect(bars.map(({ attributes }) => attributes['bench.task.reused'])).toEqual([reused, reused, reused]);
      for (const span of spans.filter((one) => one !== server && one !== runSpan)) {
        expect([span.kind, span.parentSpanId]).toEqual(['INTERNAL', runSpan.spanId]);
        expect(span.startNs).toBeGreaterThanOrEqual(runSpan.startNs);
        expect(span.endNs).toBeLessThanOrEqual(runSpan.endNs);
      }
      expect(runSpan.startNs).toBeGreaterThanOrEqual(server.startNs);
      expect(runSpan.endNs).toBeLessThanOrEqual(server.endNs);
    });
  });

  it.each(
    usable.filter(
      ({ workload, strategy, pool }) =>
        pool === 'cold' && workload.clients.length > 1 && strategy.access !== 'sdk',
    ),
  )('$title answers the same with the other client', async ({ workload, strategy }) => {
    const [, client] = workload.clients;
    const query = `strategy=${strategy.name}&tasks=${tasks}&client=${client}${lightQuery(workload.name)}`;
    const body = await service.run(`/bench/${workload.name}?${query}`);
    expect([body.run.client, body.outcome]).toEqual([client, 'ok']);
  });

  it('no span and no answer of all these holds a credential or a signature', async () => {
    const told =
      JSON.stringify(receiver.spans, (_, value) => (typeof value === 'bigint' ? String(value) : value)) +
      service.log.join('\n') +
      (await service.get('/runs')).text;
    expect(told).not.toContain(emulatorCredentials.accessKeyId);
    expect(told).not.toContain(emulatorCredentials.secretAccessKey);
    expect(told).toMatch(/X-Amz-Signature=REDACTED/);
    expect(told).not.toMatch(/X-Amz-(Signature|Credential|Security-Token)=(?!REDACTED)/i);
  });
});

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const span = spans.find((one) => one.name === name);
  if (span === undefined) throw new Error(`there is no span ${name}`);
  return span;
}
