import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { debianProgram } from '../support/real-servers-debian.ts';
import { startPrometheus, type Prometheus } from '../support/real-servers-prometheus.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Every query of the dashboard, asked of a real Prometheus that has scraped a service that was used. */
const deploy = join(import.meta.dirname, '../../deploy');
const dashboard = z
  .object({
    panels: z.array(
      z.looseObject({
        title: z.string(),
        datasource: z.object({ uid: z.string() }),
        targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })),
      }),
    ),
    templating: z.object({ list: z.array(z.looseObject({ query: z.object({ query: z.string() }) })) }),
  })
  .parse(JSON.parse(readFileSync(join(deploy, 'grafana/dashboards/fanout-bench.json'), 'utf8')));
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

let service: RunningService;
let prometheus: Prometheus;
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
  await useIt();
  await scraped(8);
  await useIt();
  await scraped(16);
});
afterAll(async () => {
  await prometheus.stop();
  await service.stop();
});

/** Waits until so many runs have been scraped. */
async function scraped(runs: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const [seen] = (await prometheus.query('sum(bench_run_duration_count)')).values();
      expect(seen).toBe(runs);
    },
    { timeout: 40_000, interval: 300 },
  );
}

async function useIt(): Promise<void> {
  for (const strategy of ['sdk-single', 'sdk-async', 'presigned-async'])
    await service.run(`/bench/s3?strategy=${strategy}&tasks=3`);
  for (const strategy of ['single', 'threads'])
    await service.run(`/bench/fib?strategy=${strategy}&tasks=3&n=12`);
  await service.run('/bench/bedrock?stream=true');
  await service.failedRun('/bench/s3?tasks=10', 502);
  await service.failedRun('/bench/fib?n=45&tasks=1&timeoutMs=200&strategy=single', 504);
  await service.refused('/bench/fib?n=x', 400);
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

  it.each(queries)('%s: %s', async (_, expression) => {
    const found = await prometheus.query(asked(expression));
    const values = [...found.values()];
    expect(values.length).toBeGreaterThan(0);
    expect(values.some((value) => Number.isFinite(value))).toBe(true);
  });

  it('shows a speed-up of 1 for what everything is compared with', async () => {
    const expression = queries.find(([title]) => title.startsWith('Speed-up'))?.[1] ?? '';
    const found = await prometheus.query(asked(expression));
    const single = [...found].filter(([labels]) => labels.includes('"sdk-single"')).map(([, value]) => value);
    expect(single).toEqual([1]);
    expect(found.size).toBeGreaterThanOrEqual(5);
  });

  it('has variables whose values are there', async () => {
    for (const { query } of dashboard.templating.list) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/u.exec(query.query) ?? [];
      const found = await prometheus.query(`count by (${label}) (${metric})`);
      expect([...found.keys()].every((labels) => labels.includes(`"${label}"`))).toBe(true);
      expect(found.size).toBeGreaterThan(1);
    }
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

/** As Grafana would ask with everything selected. */
function asked(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:workload|strategy)/gu, '.*');
}
