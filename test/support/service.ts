import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { failedRunSchema, problemSchema, runSchema } from '../../src/http/schemas.ts';

const dist = join(import.meta.dirname, '../../dist');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The service as a user starts it: its own process, from the built files. */
export interface RunningService {
  readonly url: string;
  readonly pid: number;
  /** Everything it printed so far, a line each. */
  readonly log: readonly string[];
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A run that must be ok; its body is held against the schema. */
  run(path: string): Promise<z.infer<typeof runSchema>>;
  /** A run that must fail with this status; its body is held against the schema. */
  failedRun(path: string, status: number): Promise<z.infer<typeof failedRunSchema>>;
  /** A request that must be refused with this status; its body is held against the schema. */
  refused(path: string, status: number): Promise<z.infer<typeof problemSchema>>;
  /** Ends it as an operator would; gives its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts the service on a free port with an environment of nothing but what is given.
 * @throws Error with what it printed when it ends before it listens
 */
export async function startService(
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const child = spawn(process.execPath, ['--import', join(dist, 'register.js'), join(dist, 'main.js')], {
    env: { PORT: '0', OTEL_TRACES_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '100', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  const exited = once(child, 'exit');
  createInterface(child.stderr).on('line', (line) => log.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      const listening = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    void exited.then(() => reject(new Error(log.join('\n'))));
  });
  const pid = child.pid ?? 0;

  async function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(url + path, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  async function parsed<Schema extends z.ZodType>(path: string, status: number, schema: Schema) {
    const answer = await get(path);
    if (answer.status !== status) throw new Error(`${path} gave ${answer.status}: ${answer.text}`);
    return schema.parse(JSON.parse(answer.text));
  }

  return {
    url,
    pid,
    log,
    get,
    run: (path) => parsed(path, 200, runSchema),
    failedRun: (path, status) => parsed(path, status, failedRunSchema),
    refused: (path, status) => parsed(path, status, problemSchema),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

/** The environment of a service whose spans go to the collector at this URL. */
export function tracingTo(url: string): Readonly<Record<string, string>> {
  return { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url };
}

/** A request as no well-behaved client sends it; gives the status and body. */
export async function rawRequest(
  url: string,
  options: {
    readonly method?: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const outgoing = request({ hostname, port, method: 'GET', ...options, agent: false }).end();
  const [response] = await once(outgoing, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode,
    headers: new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    text: Buffer.concat(chunks).toString(),
  };
}
