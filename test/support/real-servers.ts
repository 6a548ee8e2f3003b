import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryOf } from './real-servers-binary.ts';
import { launchOnFreePorts } from './real-servers-process.ts';
import { readTrace, type JaegerSpan } from './real-servers-trace.ts';

export type { JaegerSpan } from './real-servers-trace.ts';

const jaeger = {
  name: 'jaeger',
  version: '1.76.0',
  module: 'github.com/jaegertracing/jaeger',
  package: './cmd/jaeger',
};

const versitygw = {
  name: 'versitygw',
  version: '1.7.0',
  module: 'github.com/versity/versitygw',
  package: './cmd/versitygw',
};

export interface Jaeger {
  readonly pid: number;
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`: OTLP over HTTP. */
  readonly otlpUrl: string;
  readonly queryUrl: string;
  /** The spans of a trace, waited for until there are at least `atLeast`. */
  trace(traceId: string, options: { readonly atLeast: number }): Promise<readonly JaegerSpan[]>;
  stop(): Promise<void>;
}

/**
 * A Jaeger of its own on free ports, configured by the very file that the README tells users to start it with.
 *
 * @param otlpPort where it takes spans, in the place of one that is gone
 */
export async function startJaeger({ otlpPort }: { readonly otlpPort?: number } = {}): Promise<Jaeger> {
  const command = await binaryOf(jaeger);
  const { server, plan } = await launchOnFreePorts(5, ([free, otlpGrpc, queryHttp, queryGrpc, health]) => {
    const otlpHttp = otlpPort ?? free;
    return {
      command,
      parameters: ['--config', join(import.meta.dirname, '../../deploy/jaeger/config.yaml')],
      env: {
        JAEGER_LISTEN_HOST: '127.0.0.1',
        JAEGER_OTLP_HTTP_PORT: `${otlpHttp}`,
        JAEGER_OTLP_GRPC_PORT: `${otlpGrpc}`,
        JAEGER_QUERY_HTTP_PORT: `${queryHttp}`,
        JAEGER_QUERY_GRPC_PORT: `${queryGrpc}`,
        JAEGER_HEALTH_PORT: `${health}`,
      },
      otlpUrl: `http://127.0.0.1:${otlpHttp}`,
      queryUrl: `http://127.0.0.1:${queryHttp}`,
      isReady: async () => (await fetch(`http://127.0.0.1:${health}/status`)).ok,
    };
  });
  const { otlpUrl, queryUrl } = plan;
  return { ...server, otlpUrl, queryUrl, trace: (traceId, options) => readTrace(queryUrl, traceId, options) };
}

export interface Versitygw {
  readonly pid: number;
  /** For `AWS_ENDPOINT_URL_S3`. Objects are reached path-style. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Ends it and removes its objects. */
  stop(): Promise<void>;
}

/** An S3 server without any bucket, on a free port. */
export async function startVersitygw(): Promise<Versitygw> {
  const command = await binaryOf(versitygw);
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-versitygw-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const server = await launchVersitygw(command, folder);
    const stop = (): Promise<void> => server.stop().finally(remove);
    return { ...server, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function launchVersitygw(command: string, folder: string): Promise<Versitygw> {
  // Beside the objects, not in extended attributes: not every file system has those.
  const [objects, metadata] = [join(folder, 'objects'), join(folder, 'metadata')];
  await Promise.all([mkdir(objects), mkdir(metadata)]);
  const account = { region: 'us-east-1', accessKey: 'fanout-test', secretKey: 'fanout-test-secret' };
  const { server, plan } = await launchOnFreePorts(1, ([port]) => ({
    command,
    parameters: [`--port=127.0.0.1:${port}`, '--quiet', 'posix', `--sidecar=${metadata}`, objects],
    env: {
      ROOT_ACCESS_KEY: account.accessKey,
      ROOT_SECRET_KEY: account.secretKey,
      VGW_REGION: account.region,
    },
    endpoint: `http://127.0.0.1:${port}`,
    // It serves when it refuses a request that nobody signed.
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 403,
  }));
  return { ...server, ...account, endpoint: plan.endpoint };
}
