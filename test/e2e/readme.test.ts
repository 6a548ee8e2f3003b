import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandBlocks, readme, sampleAnswer, tableCommands } from '../support/readme.ts';
import { startJaeger, type Jaeger } from '../support/real-servers.ts';

/** README.md's commands, run as they stand but for the ports, which are free ones here. */
const root = join(import.meta.dirname, '../..');

/** Not run here, each with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'npm start is how this test starts the service; .ci/run begins with npm ci',
  'docker run --rm -p 16686:16686 -p 4318:4318 cr.jaegertracing.io/jaegertracing/jaeger:2.13.0':
    'no container engine',
  './jaeger --config deploy/jaeger/config.yaml': 'the suite starts its Jaeger with these arguments',
  'docker build -t fanout-bench .\ndocker run --rm -p 127.0.0.1:8080:8080 -e ALLOW_ANONYMOUS=true fanout-bench':
    'no container engine',
  "node examples/signed-request.ts                    # who am I?\nnode examples/signed-request.ts my-bucket my/key   # an object's size and type":
    'needs an account; a test of its own runs the example against the emulator',
  'TARGET=aws AWS_REGION=eu-central-1 S3_BUCKET=my-bucket S3_PREFIX=photos/ npm start':
    'needs an account; the suite runs these variables against versitygw',
};
const isElsewhere = (block: string): boolean => block in elsewhere || block.startsWith('go mod download');
const starts = commandBlocks().filter((block) => block.endsWith(' npm start') && !isElsewhere(block));
const scripts = commandBlocks().filter((block) => !isElsewhere(block) && !starts.includes(block));

interface Started {
  readonly port: string;
  readonly stop: () => Promise<void>;
}

let jaeger: Jaeger;
let service: Started;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
  jaeger = await startJaeger();
  service = await startBy('npm start');
});
afterAll(async () => {
  await service.stop();
  await jaeger.stop();
  await rm(folder, { recursive: true });
});

describe('the README', () => {
  it('has commands, and none that is excused here is gone', () => {
    expect(scripts.length).toBeGreaterThan(3);
    expect(commandBlocks()).toEqual(expect.arrayContaining(Object.keys(elsewhere)));
  });

  it.each(scripts)('%s', (script) => {
    const printed = sh(script.startsWith('took ') ? `${tookOf()}\n${script}` : script);
    expect(printed).not.toMatch(/"outcome": "(?!ok)|"status": \d/u);
    // A curl for people prints an answer, `took` a line of one; what is for the shell defines something.
    expect(printed === '' || /\{|durationMs/u.test(printed)).toBe(true);
  });

  it.each(tableCommands())('%s', (command) => {
    expect(sh(`${tookOf()}\n${command}`)).toMatch(/"durationMs": [\d.]+/u);
  });

  it.each(starts)('%s', async (command) => {
    const { port, stop } = await startBy(command);
    const answer = await fetch(`http://localhost:${port}/bench/s3`);
    await stop();
    expect(answer.status).toBe(502);
  });

  it('shows an answer whose every field a real one has', () => {
    const real = sh(scripts.find((script) => script.startsWith("curl 'localhost:8080/bench/s3")) ?? '');
    const fields = [...sampleAnswer().matchAll(/"(?<field>\w+)":/gu)].map(
      ({ groups }) => groups?.['field'] ?? '',
    );
    expect(fields.length).toBeGreaterThan(20);
    for (const field of fields) expect(real).toContain(`"${field}":`);
  });

  it('explains every field of an answer', () => {
    const answer = JSON.parse(sh("curl -s 'localhost:8080/bench/s3?strategy=presigned-isolate'"));
    const [task] = answer.tasks;
    const told = [...Object.keys(answer), ...Object.keys(task), ...Object.keys(answer.analysis)];
    const known = new Set(['index', 'run']);
    expect(told.filter((field) => !known.has(field) && !readme.includes(field))).toEqual([]);
  });
});

/** The function that the README defines for its reader. */
function tookOf(): string {
  return scripts.find((script) => script.startsWith('took()')) ?? '';
}

/** Runs a script in a folder of its own; gives what it prints. */
function sh(script: string): string {
  const ported = script
    .replaceAll('localhost:8080', `localhost:${service.port}`)
    .replaceAll('localhost:4318', new URL(jaeger.otlpUrl).host)
    .replaceAll('localhost:16686', new URL(jaeger.queryUrl).host);
  return execFileSync('bash', ['-euo', 'pipefail', '-c', ported], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Starts the service by a command for a shell, on a free port, and waits until it listens. */
async function startBy(command: string): Promise<Started> {
  // A group of its own, so that npm's shell and the service both get the signal that ends them.
  const shell = spawn('bash', ['-c', command], {
    cwd: root,
    env: { ...process.env, PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const closed = once(shell, 'close');
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(shell.stdout).on('line', (line) => {
      const found = /"url":"http:\/\/[^"]+:(\d+)"/u.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    void closed.then(() => reject(new Error(`${command} ended before it listened.`)));
  });
  return {
    port,
    stop: async () => {
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGTERM');
      await closed;
    },
  };
}
