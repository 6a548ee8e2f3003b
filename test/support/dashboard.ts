import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Prometheus } from './real-servers-prometheus.ts';

const file = join(import.meta.dirname, '../../deploy/grafana/dashboards/fanout-bench.json');

/** The dashboard of Grafana, as far as it decides what Prometheus is asked. */
export const dashboard = z
  .object({
    time: z.object({ from: z.literal('now-15m'), to: z.literal('now') }),
    panels: z.array(
      z.looseObject({
        title: z.string(),
        type: z.enum(['timeseries', 'heatmap', 'table']),
        datasource: z.object({ uid: z.string() }),
        gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
        targets: z.array(
          z.looseObject({ expr: z.string(), legendFormat: z.string(), instant: z.boolean().default(false) }),
        ),
      }),
    ),
    templating: z.object({
      list: z.array(z.looseObject({ name: z.string(), query: z.object({ query: z.string() }) })),
    }),
  })
  .parse(JSON.parse(readFileSync(file, 'utf8')));

/** What Grafana makes of 15 minutes and of the data source's `timeInterval`, 5 s: four of them are its rate interval. */
export const lengthS = 900;
export const stepS = 5;

/** A query with everything selected, as Grafana would ask it. */
export function asked(expression: string, rangeS = lengthS): string {
  return expression
    .replaceAll('$__rate_interval', `${4 * stepS}s`)
    .replaceAll('$__range', `${rangeS}s`)
    .replaceAll(/\$(?:workload|strategy)/gu, '.*');
}

/** A line of the table of strategies, with the numbers under their headings; one that is not there is missing. */
export type TableRow = Readonly<Record<string, number>>;

/** The table of strategies by `workload strategy`, over the last seconds. */
export async function tableOf(prometheus: Prometheus, rangeS = lengthS): Promise<Map<string, TableRow>> {
  const rows = new Map<string, TableRow>();
  const targets = dashboard.panels.filter(({ type }) => type === 'table').flatMap((panel) => panel.targets);
  for (const { expr, legendFormat } of targets) {
    for (const [labels, value] of await prometheus.query(asked(expr, rangeS))) {
      const { bench_workload: workload, bench_strategy: strategy } = Labels.parse(JSON.parse(labels));
      const name = `${workload} ${strategy}`;
      rows.set(name, { ...rows.get(name), [legendFormat]: value });
    }
  }
  return rows;
}

const Labels = z.strictObject({ bench_workload: z.string(), bench_strategy: z.string() });
