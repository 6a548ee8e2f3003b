import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { debianProgram } from './real-servers-debian.ts';
import { launchOnFreePorts } from './real-servers-process.ts';

export interface Prometheus {
  readonly pid: number;
  readonly url: string;
  /** The values of an instant query, by their labels as JSON. */
  query(expression: string): Promise<ReadonlyMap<string, number>>;
  /** The values of a range query over the time until now, by their labels as JSON. */
  queryRange(expression: string, lengthS: number, stepS: number): Promise<ReadonlyMap<string, number[]>>;
  /** What the last scrape of its target failed with; `null` where it did not, or there was none. */
  scrapeError(): Promise<string | null>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/**
 * A Prometheus configured by the very file that compose.grafana.yaml gives it, but for its one target: the service at this
 * URL in place of the container.
 */
export async function startPrometheus(targetUrl: string): Promise<Prometheus> {
  const command = await debianProgram('prometheus', 'prometheus');
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-prometheus-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, await configFor(new URL(targetUrl).host));
    const { server, plan } = await launchOnFreePorts(1, ([port]) => ({
      command,
      parameters: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      env: {},
      url: `http://127.0.0.1:${port}`,
      isReady: async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok,
    }));
    const { url } = plan;
    return {
      pid: server.pid,
      url,
      query: (expression) => query(url, expression),
      queryRange: (expression, lengthS, stepS) => queryRange(url, expression, lengthS, stepS),
      scrapeError: () => scrapeError(url),
      stop: () => server.stop().finally(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

const composedFile = join(import.meta.dirname, '../../deploy/prometheus/prometheus.yaml');
const composedTarget = "'service:8080'";

async function configFor(target: string): Promise<string> {
  const [before, after, ...others] = (await readFile(composedFile, 'utf8')).split(composedTarget);
  if (before === undefined || after === undefined || others.length > 0)
    throw new Error(`${composedFile} does not have ${composedTarget} once.`);
  return `${before}'${target}'${after}`;
}

async function query(url: string, expression: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(
    `${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
  );
  const { data } = Answer.parse(await response.json());
  return new Map(data.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
}

async function queryRange(
  url: string,
  expression: string,
  lengthS: number,
  stepS: number,
): Promise<ReadonlyMap<string, number[]>> {
  // As Grafana does: at multiples of the step.
  const end = Math.floor(Date.now() / 1000 / stepS) * stepS;
  const asked = { query: expression, start: `${end - lengthS}`, end: `${end}`, step: `${stepS}` };
  const response = await fetch(`${url}/api/v1/query_range?${new URLSearchParams(asked).toString()}`);
  const { data } = RangeAnswer.parse(await response.json());
  return new Map(
    data.result.map(({ metric, values }) => [
      JSON.stringify(metric),
      values.map(([, value]) => Number(value)),
    ]),
  );
}

async function scrapeError(url: string): Promise<string | null> {
  const { data } = Targets.parse(await (await fetch(`${url}/api/v1/targets`)).json());
  const error = data.activeTargets[0]?.lastError ?? '';
  return error === '' ? null : error;
}

const Answer = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});
const RangeAnswer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});
const Targets = z.object({ data: z.object({ activeTargets: z.array(z.object({ lastError: z.string() })) }) });
