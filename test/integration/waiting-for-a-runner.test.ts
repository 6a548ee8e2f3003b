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

describe('a run that waits for its runner', () => {
  it('tells how long, apart from what it took itself', async () => {
    const sleepMs = 600;
    const answers = await Promise.all(five(sleepMs));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    // One that slept held a runner all the while, but for the time that its own start may have taken.
    const waited = answers.filter(({ headers }) => beforeMs(headers) > sleepMs / 2);
    expect(waited.length).toBeGreaterThanOrEqual(1);
    const metrics = new Exposition((await service.get('/metrics')).text);
    expect(metrics.sum('bench_run_queue_count')).toBe(5);
    expect(metrics.sum('bench_run_queue_sum')).toBeGreaterThan(sleepMs / 2_000);
  });

  it('is turned away when the service ends, as those are that run', async () => {
    const answers = five(25_000);
    await expect.poll(async () => inFlight()).toBe(5);
    expect(await service.stop()).toBe(0);
    const codes = (await Promise.all(answers)).map(
      ({ status, text }) => `${status} ${problemSchema.parse(JSON.parse(text)).code}`,
    );
    expect(codes).toEqual(codes.map(() => '503 shutting_down'));
    expect(service.log.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

/** From Server-Timing. */
function beforeMs(headers: Headers): number {
  return Number(/before;dur=([\d.]+)/.exec(headers.get('server-timing') ?? '')?.[1]);
}

async function inFlight(): Promise<number> {
  return new Exposition((await service.get('/metrics')).text).sum('bench_runs_in_flight');
}
