import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Programs are built once a machine and kept outside the repository. */
const cacheFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fanout-bench', 'bin');

interface GoProgram {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** Path of its main package in the module. */
  readonly package: string;
}

const jaeger: GoProgram = {
  name: 'jaeger',
  module: 'github.com/jaegertracing/jaeger',
  version: '1.76.0',
  package: './cmd/jaeger',
};

const versitygw: GoProgram = {
  name: 'versitygw',
  module: 'github.com/versity/versitygw',
  version: '1.7.0',
  package: './cmd/versitygw',
};

/** A real server that a test started. */
export interface RealServer {
  stop(): Promise<void>;
}

export interface Jaeger extends RealServer {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly otlpUrl: string;
  readonly queryUrl: string;
}

/**
 * Starts Jaeger v2 with the configuration of deploy/, on free ports.
 * @throws Error that says what is missing when it is neither cached nor can be built
 */
export async function startJaeger(): Promise<Jaeger> {
  const binary = await built(jaeger);
  const [otlp, query, grpc, health] = await freePorts(4);
  const environment = {
    JAEGER_OTLP_ADDRESS: `127.0.0.1:${otlp}`,
    JAEGER_QUERY_ADDRESS: `127.0.0.1:${query}`,
    JAEGER_QUERY_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
    JAEGER_HEALTH_ADDRESS: `127.0.0.1:${health}`,
  };
  const child = spawn(binary, ['--config', join(root, 'deploy/jaeger/config.yaml')], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const queryUrl = `http://127.0.0.1:${query}`;
  await answering(child, `${queryUrl}/api/services`);
  return { otlpUrl: `http://127.0.0.1:${otlp}`, queryUrl, stop: () => ended(child) };
}

export interface Versitygw extends RealServer {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/**
 * Starts versitygw, an S3 server, on an empty folder that goes with it.
 * @throws Error that says what is missing when it is neither cached nor can be built
 */
export async function startVersitygw(): Promise<Versitygw> {
  const binary = await built(versitygw);
  const [port] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-s3-'));
  const account = { accessKeyId: 'realserveraccess', secretAccessKey: 'real-server-secret' };
  const { accessKeyId, secretAccessKey } = account;
  const child = spawn(
    binary,
    ['--access', accessKeyId, '--secret', secretAccessKey, '--port', `127.0.0.1:${port}`, 'posix', folder],
    { env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(child, endpoint);
  return {
    ...{ endpoint, ...account, region: 'us-east-1' },
    async stop() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The path of a program, built now if it never was. */
async function built({ name, module, version, package: main }: GoProgram): Promise<string> {
  const binary = join(cacheFolder, `${name}-${version}`);
  if (existsSync(binary)) return binary;
  await mkdir(cacheFolder, { recursive: true });
  const target = `${module}@v${version}`;
  let source: string;
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', target]);
    source = String((JSON.parse(stdout) as { Dir: string }).Dir);
  } catch (cause) {
    throw new Error(
      `${name} ${version} is neither at ${binary} nor can it be built: Go 1.24 or newer, and access to the Go module proxy, are needed.`,
      { cause },
    );
  }
  // Renamed when it is whole, so that a second build at the same time does no harm.
  const unfinished = `${binary}.${process.pid}`;
  await run('go', ['build', '-C', source, '-o', unfinished, main], { maxBuffer: 64 * 1024 * 1024 });
  await rename(unfinished, binary);
  return binary;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Waits until a server answers, whatever it says; fails with what it printed when it ends or takes too long. */
async function answering(child: ChildProcess, url: string): Promise<void> {
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 100) {
    if (child.exitCode !== null) break;
    try {
      await fetch(url);
      return;
    } catch {
      // Not listening yet.
      await sleep(100);
    }
  }
  child.kill('SIGKILL');
  throw new Error(`${child.spawnfile} did not answer at ${url}: ${printed}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(timer);
}
