import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lengthS, tableOf, type TableRow } from '../support/dashboard.ts';
import { loadTest, summaryOf } from '../support/k6.ts';
import { startPrometheus, type Prometheus } from '../support/real-servers-prometheus.ts';
import { startService, type RunningService } from '../support/service.ts';

/** The dashboard's table where no load hides that rates lack what happened before their first scrape. */
let service: RunningService;
let prometheus: Prometheus;
beforeAll(async () => {
  service = await startService();
  prometheus = await startPrometheus(service.url);
  await vi.waitUntil(async () => (await prometheus.query('up == 1')).size === 1, { timeout: 30_000 });
});
afterAll(async () => {
  await prometheus.stop();
  await service.stop();
});

const columns = ['Runs', 'Mean duration', 'Speed-up', 'Parallelism', 'Efficiency'];

/** The row of a strategy as soon as it tells of so many runs. */
async function rowOf(name: string, runs: number, rangeS = lengthS): Promise<TableRow> {
  const row = async (): Promise<TableRow> => (await tableOf(prometheus, rangeS)).get(name) ?? {};
  await expect.poll(async () => (await row())['Runs'], { timeout: 30_000, interval: 300 }).toBe(runs);
  return row();
}

const single = '/bench/s3?strategy=sdk-single&tasks=10';

describe("the dashboard's table of strategies", () => {
  it('is there after one run of each', async () => {
    // Later than the first scrape, so that each series begins with its run.
    const { durationMs, analysis } = await service.run('/bench/s3?strategy=presigned-async&tasks=10');
    const { durationMs: singleMs } = await service.run(single);
    await rowOf('s3 sdk-single', 1);
    const row = await rowOf('s3 presigned-async', 1);
    expect(Object.keys(row)).toEqual(columns);
    expect(row['Mean duration']).toBeCloseTo(durationMs / 1000, 5);
    expect(row['Speed-up']).toBeCloseTo(singleMs / durationMs, 2);
    expect(row['Parallelism']).toBeCloseTo(analysis.parallelism ?? Number.NaN, 1);
    expect(row['Efficiency']).toBeCloseTo(analysis.efficiency ?? Number.NaN, 1);
  });

  it('has a speed-up of every strategy when they were run one after another', async () => {
    const ended = await loadTest(
      `npm run load -- strategies --url ${service.url} --workload fib --query 'tasks=2&n=12' --rate 1 --duration 4s`,
      { P95_MS: '60000' },
    );
    expect(summaryOf(ended).requests.answered200).toBeGreaterThan(20);
    // More than a rate's interval after the one that all are compared with.
    await wait(10_000);
    const rows = [...(await tableOf(prometheus))].filter(([name]) => name.startsWith('fib '));
    const strategies = ['single', 'async', 'threads', 'subprocess'];
    const isolates = ['isolate', 'isolate-threads', 'isolate-subprocess'];
    expect(rows.map(([name]) => name.slice(4)).toSorted()).toEqual([...strategies, ...isolates].toSorted());
    for (const [name, row] of rows) {
      const isPositive = (column: string): boolean => Number.isFinite(row[column]) && Number(row[column]) > 0;
      expect([name, ['Runs', 'Mean duration', 'Speed-up'].filter(isPositive)]).toEqual([
        name,
        ['Runs', 'Mean duration', 'Speed-up'],
      ]);
    }
    expect(new Map(rows).get('fib single')?.['Speed-up']).toBe(1);
  });

  it('tells of the runs within the range alone', async () => {
    const { durationMs } = await service.run(single);
    const row = await rowOf('s3 sdk-single', 1, 15);
    expect(row['Mean duration']).toBeCloseTo(durationMs / 1000, 5);
    await rowOf('s3 sdk-single', 2);
  });

  it('goes on from none when the service was started anew', async () => {
    await service.stop();
    service = await startService({ PORT: new URL(service.url).port });
    const { durationMs } = await service.run('/bench/s3?strategy=sdk-single&tasks=1');
    const counted = 'bench_run_duration_count{bench_strategy="sdk-single"}';
    const count = async (): Promise<unknown> => [...(await prometheus.query(counted)).values()];
    await expect.poll(count, { timeout: 30_000, interval: 300 }).toEqual([1]);
    // Within the range is what the one before it counted.
    const row = await rowOf('s3 sdk-single', 1, 30);
    expect(row['Mean duration']).toBeCloseTo(durationMs / 1000, 5);
  });

  it('has no speed-up of a run that failed', async () => {
    await service.failedRun('/bench/fib?strategy=threads&n=50&tasks=1&timeoutMs=300', 504);
    const row = await rowOf('fib threads', 1);
    expect(Object.keys(row)).toEqual(['Runs']);
  });
});
