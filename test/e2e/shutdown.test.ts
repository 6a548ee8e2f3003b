import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemSchema, readinessSchema, runListSchema, runSchema } from '../../src/http/schemas.ts';
import { startLoadTest, summaryOf } from '../support/k6.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { isAlive } from '../support/process-table.ts';
import { startService, type RunningService } from '../support/service.ts';

/** A service that is told to end while k6 sends it runs. */
const runs = [
  '/bench/sleep?strategy=async&ms=300&tasks=2',
  '/bench/fib?strategy=subprocess&n=10&tasks=2',
  '/bench/fib?strategy=isolate-threads&n=10&tasks=2',
];

let receiver: OtlpReceiver;
let service: RunningService;
beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
  service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    MAX_RUNS_IN_FLIGHT: '100',
  });
});
afterEach(async () => {
  await service.stop();
  await receiver.close();
});

describe('told to end under load', () => {
  it('finishes what runs, gives up what takes too long, turns away what comes, sends all spans, leaves nothing', async () => {
    const load = await startLoadTest(
      `npm run load -- load --url ${service.url} --rate 6 --duration 10s --runs '${runs.join(',')}'`,
    );
    await expect.poll(keptRuns, { timeout: 60_000 }).toBeGreaterThan(6);
    const finishing = service.get('/bench/sleep?strategy=async&ms=3000&tasks=2');
    const endless = service.get('/bench/sleep?strategy=async&ms=60000&tasks=2');
    // First come, first served: with these the ones before are in.
    await service.run('/bench/sleep?strategy=async&ms=1&tasks=2');
    await service.run('/bench/sleep?strategy=async&ms=1&tasks=2');
    const processes = descendantsOf(service.pid);
    process.kill(service.pid, 'SIGTERM');

    await expect.poll(async () => (await service.get('/readyz')).status, { timeout: 3_000 }).toBe(503);
    const readiness = readinessSchema.parse(JSON.parse((await service.get('/readyz')).text));
    expect(readiness).toMatchObject({ ready: false, checks: [{ name: 'service', ok: false }] });
    const refused = await service.get('/bench/sleep?ms=1');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/u);
    expect(problemSchema.parse(JSON.parse(refused.text)).code).toBe('shutting_down');
    expect((await service.get('/healthz')).status).toBe(200);

    expect(runSchema.parse(JSON.parse((await finishing).text)).outcome).toBe('ok');
    const givenUp = await endless;
    expect(problemSchema.parse(JSON.parse(givenUp.text))).toMatchObject({
      status: 503,
      code: 'shutting_down',
    });
    // A second signal would end it at once.
    await expect.poll(() => isAlive(service.pid), { timeout: 20_000 }).toBe(false);
    expect(await service.stop()).toBe(0);
    expect(await leftOverOf(processes)).toEqual([]);

    const { requests } = summaryOf(await load.ended);
    // Nobody's request is cut off: what has no answer found nobody listening. The exception is what crosses with the end
    // of a connection that was idle, which HTTP/1.1 can't rule out (RFC 9112, 9.3).
    expect(requests.answeredOtherwise).toBe(0);
    expect(requests.unanswered - requests.unansweredRefused).toBeLessThanOrEqual(3);
    expect([requests.answered200 > 0, requests.answered503 > 0]).toEqual([true, true]);
    const outcomes = receiver.spans
      .filter(({ name }) => name.startsWith('run '))
      .map(({ attributes }) => attributes['bench.outcome']);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(requests.answered200 + 3);
    expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual(['shutting_down']);
    expect(receiver.spans.filter(({ name }) => name.startsWith('task '))).toHaveLength(2 * outcomes.length);
  });
});

async function keptRuns(): Promise<number> {
  return runListSchema.parse(JSON.parse((await service.get('/runs')).text)).runs.length;
}
