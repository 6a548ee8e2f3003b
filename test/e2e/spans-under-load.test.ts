import { afterAll, beforeAll, expect, it } from 'vitest';
import { runListSchema } from '../../src/http/schemas.ts';
import { loadTest, summaryOf } from '../support/k6.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';

const perSecond = 50;
const seconds = 60;
const tasks = 10;

let bench: Awaited<ReturnType<typeof startServiceWithJaeger>>;
beforeAll(async () => {
  bench = await startServiceWithJaeger({
    MAX_RUNS_KEPT: `${2 * perSecond * seconds}`,
    // More than k6 has users: not one is turned away.
    MAX_RUNS_IN_FLIGHT: '200',
  });
});
afterAll(() => bench.stop());

it(
  `of ${perSecond} runs a second for ${seconds} s, every span of every run is in Jaeger`,
  async () => {
    const { service, jaeger } = bench;
    const ended = await loadTest(
      `npm run load -- stress --url ${service.url} --rate ${perSecond} --max-rate ${perSecond} --duration ${seconds}s`,
      { RUNS: `/bench/sleep?ms=5&tasks=${tasks}` },
    );
    const { requests } = summaryOf(ended);
    expect(requests).toMatchObject({ answeredOtherwise: 0, unanswered: 0, dropped: 0 });
    // One more or less at the seams.
    expect(Math.abs(requests.sent - perSecond * seconds)).toBeLessThan(5);
    const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
    expect([requests.answered200, runs.length]).toEqual([requests.sent, requests.sent]);
    expect(runs.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    const expected = [
      'GET /bench/:workload',
      'run sleep async',
      ...Array.from({ length: tasks }, (_, index) => `task sleep ${index}`),
    ];
    for (const { traceId } of runs) {
      const spans = await jaeger.trace(traceId, { atLeast: expected.length });
      expect(spans.map(({ name }) => name).toSorted()).toEqual(expected);
    }
    expect((await service.get('/metrics')).text).toMatch(/^bench_spans_dropped_total\S* 0$/mu);
  },
  (seconds + 120) * 1_000,
);
