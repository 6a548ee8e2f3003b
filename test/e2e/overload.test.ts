import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTest, summaryOf } from '../support/k6.ts';
import { startService, type RunningService } from '../support/service.ts';

/** What comes of more runs than the service can do: each is answered, done or turned away. */
describe('at three times what the service can do', () => {
  it('every request is answered with 200 or 503 busy, where places for runs are what is short', async () => {
    const { requests, busy } = await overload('/bench/sleep?ms=100&tasks=1', () =>
      Promise.resolve(places / 0.1),
    );
    expect(requests).toEqual({ ...requests, answeredOtherwise: 0, unanswered: 0, dropped: 0 });
    // One more or less at the seams.
    expect(Math.abs(requests.sent - 3 * 40 * seconds)).toBeLessThan(5);
    expect(requests.answered200).toBeGreaterThan(0);
    expect(requests.answered200).toBeLessThanOrEqual(requests.sent / 2);
    expect(busy).toBe(requests.answered503);
  });

  it.each(['threads', 'subprocess', 'isolate-threads', 'single'])(
    'every request is answered with 200 or 503 busy, where cores are: fib in %s',
    async (strategy) => {
      const path = `/bench/fib?strategy=${strategy}&tasks=4&n=32`;
      const { requests, busy } = await overload(path, (service) => mostPerSecond(service, path));
      expect(requests).toEqual({ ...requests, answeredOtherwise: 0, unanswered: 0 });
      expect(requests.answered200).toBeGreaterThan(0);
      expect(requests.answered503).toBeGreaterThan(requests.answered200);
      expect(busy).toBe(requests.answered503);
    },
  );
});

/** Runs in flight at once; as many again wait. */
const places = 4;
const seconds = 10;

/** Loads a service of its own, whose `/healthz` must answer all the while. */
async function overload(path: string, perSecond: (service: RunningService) => Promise<number>) {
  const service = await startService({ MAX_RUNS_IN_FLIGHT: `${places}` });
  try {
    const rate = Math.ceil(3 * (await perSecond(service)));
    const ended = await loadTest(
      `npm run load -- stress --url ${service.url} --rate ${rate} --max-rate ${rate} --duration ${seconds}s`,
      { RUNS: path },
    );
    // Its thresholds: each answer is 200, or 503 with the code `busy` and Retry-After; each of /healthz is 200.
    const { requests, thresholds } = summaryOf(ended);
    expect([ended.exitCode, thresholds.filter(({ ok }) => !ok)]).toEqual([0, []]);
    const busy = stressSchema.parse(ended.summary).steps.reduce((sum, step) => sum + step.busy, 0);
    // It is as it was before.
    expect((await service.get('/readyz')).status).toBe(200);
    expect((await service.run(path)).outcome).toBe('ok');
    return { requests, busy };
  } finally {
    await service.stop();
  }
}

/** Runs a second that can't be exceeded: as many at once as may be, each as fast as the fastest of some was alone. */
async function mostPerSecond(service: RunningService, path: string): Promise<number> {
  const tookMs: number[] = [];
  for (let time = 0; time < 10; time += 1) tookMs.push((await service.run(path)).durationMs);
  return places / (Math.min(...tookMs) / 1_000);
}

const stressSchema = z.looseObject({ steps: z.array(z.looseObject({ busy: z.int() })) });
