import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { asked, dashboard, lengthS, stepS } from '../support/dashboard.ts';
import { loadTest, summaryOf, type LoadSummary } from '../support/k6.ts';
import { childrenOf } from '../support/process-table.ts';
import { debianProgram } from '../support/real-servers-debian.ts';
import { startPrometheus, type Prometheus } from '../support/real-servers-prometheus.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Every query of the dashboard, as Grafana asks it, asked of a real Prometheus that has scraped a service under a load of k6's. */
const deploy = join(import.meta.dirname, '../../deploy');
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map((target) => [title, target.expr, target.instant] as const),
);

let service: RunningService;
let prometheus: Prometheus;
let loaded: LoadSummary['requests'];
beforeAll(async () => {
  // Every kind of thing that a panel shows: waiting for a collector that refuses makes dropped spans.
  service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    EMULATOR_LATENCY_MS: '5',
    EMULATOR_FAULTS: 'error@photos/9.jpg',
  });
  prometheus = await startPrometheus(service.url);
  // A rate needs two scrapes between which something happened.
  await fail();
  await allScraped();
  const ended = await loadTest(
    `npm run load -- soak --url ${service.url} --rate 4 --duration 12s --runs '${runs.join(',')}'`,
    { P95_MS: '60000' },
  );
  loaded = summaryOf(ended).requests;
  await fail();
  await allScraped();
});
afterAll(async () => {
  await prometheus.stop();
  await service.stop();
});

/** What k6 asks for in turn. */
const runs = [
  ...['sdk-single', 'sdk-async', 'presigned-async'].map(
    (strategy) => `/bench/s3?strategy=${strategy}&tasks=3`,
  ),
  ...['single', 'threads'].map((strategy) => `/bench/fib?strategy=${strategy}&tasks=3&n=12`),
  '/bench/bedrock?stream=true',
];

/** Waits until Prometheus has seen every run. */
async function allScraped(): Promise<void> {
  const total = [...(await service.get('/metrics')).text.matchAll(/^bench_run_duration_count\S* (\d+)$/gmu)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
  await vi.waitFor(
    async () => {
      const [seen] = (await prometheus.query('sum(bench_run_duration_count)')).values();
      expect(seen).toBe(total);
    },
    { timeout: 40_000, interval: 300 },
  );
}

/** What a load test is not to do: runs that fail, one that is refused, a runner that is killed and made anew. */
async function fail(): Promise<void> {
  await service.failedRun('/bench/s3?tasks=10', 502);
  await service.failedRun('/bench/fib?n=45&tasks=1&timeoutMs=200&strategy=single', 504);
  await service.refused('/bench/fib?n=x', 400);
  for (const pid of childrenOf(service.pid, 'fanout-bench runner')) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => expect((await service.get('/readyz')).status).toBe(200), { timeout: 20_000 });
}

describe('the dashboard', () => {
  it('has panels, and its data source is the one that is provisioned', () => {
    expect(queries.length).toBeGreaterThan(12);
    const provisioned = readFileSync(
      join(deploy, 'grafana/provisioning/datasources/datasources.yaml'),
      'utf8',
    );
    for (const { datasource } of dashboard.panels) expect(provisioned).toContain(`uid: ${datasource.uid}`);
  });

  it('is shown a load test of which every run was answered', () => {
    expect(loaded.sent).toBeGreaterThan(40);
    expect(loaded.answered200).toBe(loaded.sent);
  });

  it.each(queries)('%s: %s', async (_, expression, instant) => {
    const values = await shown(expression, instant);
    expect(values.length).toBeGreaterThan(0);
    expect(values.some((value) => Number.isFinite(value))).toBe(true);
  });

  it('asks for one moment where it shows a table, and for a time where it draws one', () => {
    for (const { title, type, targets } of dashboard.panels)
      for (const { instant } of targets) expect([title, instant]).toEqual([title, type === 'table']);
  });

  it('has panels that do not lie on each other', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('does not draw a count and a rate on one axis', () => {
    const panels = dashboard.panels.filter(({ type }) => type === 'timeseries');
    for (const { title, targets } of panels)
      expect([title, new Set(targets.map(({ expr }) => /rate\(/u.test(expr))).size]).toEqual([title, 1]);
  });

  it.each(['Spans dropped', 'Runners started anew'])('%s: more than none, as it was', async (title) => {
    const expression = queries.find(([panel]) => panel === title)?.[1] ?? '';
    expect(Math.max(...(await shown(expression, false)))).toBeGreaterThan(0);
  });

  it('has variables whose values are there', async () => {
    for (const { query } of dashboard.templating.list) {
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/u.exec(query.query) ?? [];
      const found = await prometheus.query(`count by (${label}) (${asked(selector)})`);
      expect([...found.keys()].every((labels) => labels.includes(`"${label}"`))).toBe(true);
      expect(found.size).toBeGreaterThan(1);
    }
  });

  it('offers the strategies of the workload that is chosen', async () => {
    const variable = dashboard.templating.list.find(({ name }) => name === 'strategy');
    const selector = /^label_values\((.+), bench_strategy\)$/u.exec(variable?.query.query ?? '')?.[1] ?? '';
    const found = await prometheus.query(
      `count by (bench_strategy) (${selector.replace('$workload', 'fib')})`,
    );
    const strategies = [...found.keys()].map((labels) => /:"(.+)"/u.exec(labels)?.[1]);
    expect(new Set(strategies)).toEqual(new Set(['single', 'threads']));
  });
});

describe('the configuration of Prometheus', () => {
  it('is right, as promtool says', async () => {
    const promtool = await debianProgram('prometheus', 'promtool');
    const said = execFileSync(promtool, ['check', 'config', join(deploy, 'prometheus/prometheus.yaml')], {
      encoding: 'utf8',
    });
    expect(said).toContain('SUCCESS');
  });
});

/** All values that a panel would show. */
async function shown(expression: string, instant: boolean): Promise<readonly number[]> {
  const query = asked(expression);
  if (instant) return [...(await prometheus.query(query)).values()];
  return [...(await prometheus.queryRange(query, lengthS, stepS)).values()].flat();
}
