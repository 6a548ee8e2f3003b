import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  /** What the last scrape of its target failed with; `null` where it did not, or there was none. */
  scrapeError(): Promise<string | null>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A Prometheus that scrapes a service's `/metrics` every second. */
export async function startPrometheus(targetUrl: string): Promise<Prometheus> {
  const command = await debianProgram('prometheus', 'prometheus');
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-prometheus-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, configOf(new URL(targetUrl).host));
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
      scrapeError: () => scrapeError(url),
      stop: () => server.stop().finally(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function configOf(target: string): string {
  return `
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: fanout-bench
    static_configs:
      - targets: ['${target}']
`;
}

async function query(url: string, expression: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(
    `${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
  );
  const { data } = Answer.parse(await response.json());
  return new Map(data.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
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
const Targets = z.object({ data: z.object({ activeTargets: z.array(z.object({ lastError: z.string() })) }) });
