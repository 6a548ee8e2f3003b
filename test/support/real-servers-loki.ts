import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { binaryOf } from './real-servers-binary.ts';
import { launchOnFreePorts } from './real-servers-process.ts';

const loki = {
  name: 'loki',
  version: '3.7.8',
  module: 'github.com/grafana/loki/v3',
  package: './cmd/loki',
  nested: { module: 'github.com/grafana/loki/pkg/push', version: '0.0.0-20250630054201-94c0ba7b0952' },
};

/** A line that Loki found, with all its labels: the stream's and its own. */
export interface LokiLine {
  readonly text: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Loki {
  readonly pid: number;
  /** For `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`. */
  readonly otlpLogsUrl: string;
  /** What a LogQL query finds in the last hour. */
  query(logql: string): Promise<readonly LokiLine[]>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A Loki of its own on free ports, configured by the very file that compose.grafana.yaml gives it. */
export async function startLoki(): Promise<Loki> {
  const command = await binaryOf(loki);
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-loki-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const { server, plan } = await launchOnFreePorts(2, ([http, grpc]) => ({
      command,
      parameters: [
        `-config.file=${join(import.meta.dirname, '../../deploy/loki/config.yaml')}`,
        '-config.expand-env=true',
      ],
      env: {
        LOKI_LISTEN_HOST: '127.0.0.1',
        LOKI_HTTP_PORT: `${http}`,
        LOKI_GRPC_PORT: `${grpc}`,
        LOKI_DATA: folder,
      },
      url: `http://127.0.0.1:${http}`,
      isReady: async () => (await fetch(`http://127.0.0.1:${http}/ready`)).ok,
    }));
    return {
      pid: server.pid,
      otlpLogsUrl: `${plan.url}/otlp/v1/logs`,
      query: (logql) => query(plan.url, logql),
      stop: () => server.stop().finally(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function query(url: string, logql: string): Promise<readonly LokiLine[]> {
  const response = await fetch(
    `${url}/loki/api/v1/query_range?${new URLSearchParams({ query: logql }).toString()}`,
  );
  const text = await response.text();
  if (!response.ok) throw new Error(`${logql}: ${response.status} ${text}`);
  const { data } = Answer.parse(JSON.parse(text));
  return data.result.flatMap(({ stream, values }) =>
    values.map(([, line]) => ({ text: line, labels: stream })),
  );
}

const Answer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.string(), z.string()])),
      }),
    ),
  }),
});
