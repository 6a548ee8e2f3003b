import { beforeAll, describe, expect, it } from 'vitest';
import { joinRefusal } from '../../src/bench/combinations.ts';
import { strategiesOf } from '../../src/bench/strategies-of.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { lightQuery } from '../support/light-work.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { workersOf } from '../support/process-table.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';
import type { RunningService } from '../support/service.ts';
import { startTracedService } from '../support/traced-service.ts';

/** Every join with every workload, strategy and access, from the registries. */
const joins = ['race', 'first-valid', 'hedged'] as const;
const world = worldOf(targetAt(null));
const cells = workloads.flatMap(({ declaration: workload }) =>
  strategiesOf(workload, world)
    .filter(({ refusal }) => refusal === null)
    .flatMap(({ name, access, declaration }) =>
      joins.map((join) => ({
        title: `${workload.name} ${name} ${join}`,
        query: `/bench/${workload.name}?strategy=${name}&tasks=3&join=${join}${join === 'hedged' ? '&hedgeAfterMs=1' : ''}${lightQuery(workload.name)}`,
        join,
        workload,
        signs: access === 'presigned',
        reason: joinRefusal(workload, declaration, join),
      })),
    ),
);
const possible = cells.filter(({ reason }) => reason === null);
const refused = cells.filter(({ reason }) => reason !== null);

let service: RunningService;
let receiver: OtlpReceiver;
beforeAll(async () => {
  const traced = await startTracedService({ EMULATOR_LATENCY_MS: '3' });
  ({ service, receiver } = traced);
  return traced.stop;
});

describe('a join', () => {
  it.each(refused)('$title is refused, and says why', async ({ query, reason, workload, join }) => {
    const { code, detail } = await service.refused(query, 400);
    // What a workload can never have is no value of its parameter at all.
    const never = join === 'first-valid' && workload.validations.length === 0;
    expect(code).toBe(never ? 'invalid_parameter' : 'unsupported_combination');
    expect(detail).toContain(never ? 'join=first-valid' : reason);
  });

  it.each(possible)(
    '$title ends with its first success and leaves nothing',
    async ({ query, join, signs }) => {
      const body = await service.run(query);
      expect([body.outcome, body.run.join]).toEqual(['ok', join]);
      const states = body.tasks.map(({ state }) => state);
      expect(states.filter((state) => state === 'ok')).toHaveLength(1);
      expect(states.filter((state) => state === 'cancelled')).toHaveLength(states.length - 1);
      const begun = body.tasks.filter(({ startMs }) => startMs !== null);
      expect(body.callsSpent).toBe(join === 'hedged' ? begun.length : null);
      expect(states).toHaveLength(join === 'hedged' ? states.length : 3);
      for (const { endMs, startMs } of body.tasks) {
        expect(startMs === null).toBe(endMs === null);
        expect(Number(endMs)).toBeLessThanOrEqual(body.durationMs + 0.001);
      }
      expect(workersOf(Number(body.runner.pid))).toEqual([]);

      await receiver.received(2 + states.length + (signs ? 1 : 0), body.trace.traceId);
      const spans = receiver.taskSpans(body.trace.traceId);
      const run = receiver.byTrace(body.trace.traceId).find(({ name }) => name.startsWith('run '));
      const told = spans.map(({ attributes }) => String(attributes['bench.task.state']));
      expect(told.toSorted((a, b) => a.localeCompare(b))).toEqual(
        states.toSorted((a, b) => a.localeCompare(b)),
      );
      for (const { endNs, status } of spans) {
        expect([endNs <= (run?.endNs ?? 0n), status.code]).toEqual([true, 'UNSET']);
      }
      const neverBegun = spans.filter(({ attributes }) => attributes['bench.task.started'] === false);
      expect(neverBegun.map(({ startNs }) => startNs)).toEqual(neverBegun.map(({ endNs }) => endNs));
    },
  );
});
