import { afterEach, beforeEach, expect, it } from 'vitest';
import { runListSchema } from '../../src/http/schemas.ts';
import { loadTest, summaryOf } from '../support/k6.ts';
import { startJaeger, type Jaeger } from '../support/real-servers.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';

/** A load beside a real Jaeger that stops answering, comes back, dies and is started again. */
const perSecond = 20;
const tasks = 10;
const spansOfRun = tasks + 2;
const path = `/bench/sleep?ms=5&tasks=${tasks}`;
/** Less than Jaeger's absences leave behind. */
const mostQueued = 500;

let jaeger: Jaeger;
let service: RunningService;
beforeEach(async () => {
  jaeger = await startJaeger();
  service = await startService({
    ...tracingTo(jaeger.otlpUrl),
    OTEL_BSP_MAX_QUEUE_SIZE: `${mostQueued}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    MAX_RUNS_KEPT: '2000',
  });
});
afterEach(async () => {
  await service.stop();
  await jaeger.stop();
});

it('holds up no run; spans that are lost are counted and said, and flow again', async () => {
  // As many at once as there are in two seconds: if runs waited for the collector, some could not be sent.
  const loaded = loadTest(
    `npm run load -- soak --url ${service.url} --rate ${perSecond} --duration 40s --vus ${2 * perSecond} --runs '${path}'`,
    { P95_MS: '60000' },
  );
  await expect.poll(runs, { timeout: 30_000 }).toBeGreaterThan(2 * perSecond);
  expect(await dropped()).toBe(0);

  process.kill(jaeger.pid, 'SIGSTOP');
  await expect.poll(dropped, { timeout: 30_000 }).toBeGreaterThan(perSecond * spansOfRun);
  process.kill(jaeger.pid, 'SIGCONT');
  await expect.poll(said, { timeout: 30_000 }).toEqual(['collector_unreachable', 'collector_back']);
  await expectTraced();

  const lostBefore = await dropped();
  process.kill(jaeger.pid, 'SIGKILL');
  await expect.poll(dropped, { timeout: 30_000 }).toBeGreaterThan(lostBefore + perSecond * spansOfRun);
  await jaeger.stop();
  jaeger = await startJaeger({ otlpPort: Number(new URL(jaeger.otlpUrl).port) });
  const twice = ['collector_unreachable', 'collector_back', 'collector_unreachable', 'collector_back'];
  await expect.poll(said, { timeout: 30_000 }).toEqual(twice);
  await expectTraced();

  const { requests } = summaryOf(await loaded);
  expect(requests.sent).toBeGreaterThan(0);
  expect(requests).toMatchObject({ answered200: requests.sent, unanswered: 0, dropped: 0 });
  // Counted in full: what the log says of each absence is together what is counted.
  const told = service.log.flatMap((line) => /(\d+) spans were dropped meanwhile/u.exec(line)?.[1] ?? []);
  expect(told).toHaveLength(2);
  expect(told.reduce((sum, lost) => sum + Number(lost), 0)).toBe(await dropped());
});

/** A run's trace is whole in the Jaeger of the moment. */
async function expectTraced(): Promise<void> {
  const { trace } = await service.run(path);
  const spans = await jaeger.trace(trace.traceId, { atLeast: spansOfRun });
  expect(spans).toHaveLength(spansOfRun);
}

async function dropped(): Promise<number> {
  const { text } = await service.get('/metrics');
  return Number(/^bench_spans_dropped_total\S* (\d+)$/mu.exec(text)?.[1]);
}

async function runs(): Promise<number> {
  return runListSchema.parse(JSON.parse((await service.get('/runs')).text)).runs.length;
}

/** What the log says of the collector, in order. */
function said(): readonly string[] {
  return service.log.flatMap((line) => /"code":"(collector_\w+)"/u.exec(line)?.[1] ?? []);
}
