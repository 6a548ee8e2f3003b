import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemSchema } from '../../src/http/schemas.ts';
import { Exposition } from '../support/exposition.ts';
import { startService, type Answer, type RunningService } from '../support/service.ts';

/** Runs that need a runner to themselves, of which there are four: the fifth waits until one of them ends. */
let service: RunningService;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

function five(ms: number): Promise<Answer>[] {
  return Array.from({ length: 5 }, () => service.get(`/bench/sleep?strategy=single&tasks=1&ms=${ms}`));
}

describe('a run that waits for a runner', () => {
  it('is counted as one that waits, for as long as it does', async () => {
    const sleepMs = 600;
    const answers = five(sleepMs);
    await expect.poll(inFlightAndWaiting).toEqual([4, 1]);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const metrics = await metricsNow();
    expect(metrics.sum('bench_run_queue_count')).toBe(5);
    // One that slept held a runner all the while, but for the time that its own start may have taken.
    expect(metrics.sum('bench_run_queue_sum')).toBeGreaterThan(sleepMs / 2_000);
  });

  it('holds up nobody who needs none', async () => {
    const answers = five(2_000);
    await expect.poll(inFlightAndWaiting).toEqual([4, 1]);
    await service.run('/bench/sleep?strategy=async&tasks=1&ms=1');
    expect(await inFlightAndWaiting()).toEqual([4, 1]);
    await Promise.all(answers);
  });

  it('is turned away when the service ends, as those are that run', async () => {
    const answers = five(25_000);
    await expect.poll(inFlightAndWaiting).toEqual([4, 1]);
    expect(await service.stop()).toBe(0);
    const codes = (await Promise.all(answers)).map(
      ({ status, text }) => `${status} ${problemSchema.parse(JSON.parse(text)).code}`,
    );
    expect(codes).toEqual(codes.map(() => '503 shutting_down'));
    expect(service.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

async function metricsNow(): Promise<Exposition> {
  return new Exposition((await service.get('/metrics')).text);
}

async function inFlightAndWaiting(): Promise<readonly number[]> {
  const metrics = await metricsNow();
  return [metrics.sum('bench_runs_in_flight'), metrics.sum('bench_runs_waiting')];
}
