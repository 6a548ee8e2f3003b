import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failedRunSchema, runListSchema, runSchema } from '../../src/http/schemas.ts';
import { installedRuntimes, installRuntimes } from '../support/installed-runtimes.ts';
import { parseTraceJson } from '../support/otlp-receiver.ts';
import { isRequest } from '../support/readme.ts';
import { blockUpTo, commandsOfReadme } from '../support/readme-commands.ts';
import { startJaeger, startVersitygw, type Jaeger } from '../support/real-servers.ts';
import { startByCommand, type StartedByCommand } from '../support/started-by-command.ts';

/**
 * Every command of README.md belongs to one of four kinds, or a test fails: those that `readme.test.ts` runs by a
 * rule, those that this file runs and looks at the outcome of, and those that no test runs, for a reason.
 */
const root = join(import.meta.dirname, '../..');
/** A port that nothing listens on. */
const nowhere = 'http://127.0.0.1:9';

const notRun: Readonly<Record<string, string>> = {
  'npm ci': 'the first step of .ci/run',
  'npm test': 'the second step of .ci/run',
  'npm run check': 'the beginning of npm test, which test/integration/package.test.ts holds against it',
  'npm run test:e2e': 'the third step of .ci/run, to which this test belongs',
  '.ci/run': 'would run this very test; test/integration/ci-run.test.ts runs it with steps that are not real',
  'npm run build':
    'test/global-setup.ts calls the same before any suite; again would pull dist/ from under it',
  'npm run bench -- --only trust': 'as below',
  'npm run bench': 'takes minutes, and fails where other work slows the machine down',
  'go mod download github.com/jaegertracing/jaeger@v1.76.0':
    'test/support/real-servers-binary.ts does the same, once a machine: a test below holds the version against it',
  // The same in one line.
  'CGO_ENABLED=0 go build -C "$(go env GOMODCACHE)/github.com/jaegertracing/jaeger@v1.76.0" -buildvcs=false -o "$PWD/jaeger" ./cmd/jaeger':
    'as above',
  'npx node examples/signed-request.ts':
    'needs an account; test/integration/signed-request.test.ts runs it against an emulator',
  'npx node examples/signed-request.ts my-bucket my/key': 'as above',
  'docker run --rm -p 16686:16686 -p 4318:4318 cr.jaegertracing.io/jaegertracing/jaeger:2.13.0':
    'needs a container engine',
  'docker compose -f deploy/compose.yaml up --build':
    'needs a container engine; test/unit/compose-values.test.ts and compose.test.ts read the file',
  'docker build -t fanout-bench .': 'needs a container engine',
  'docker run --rm -p 127.0.0.1:8080:8080 -e ALLOW_ANONYMOUS=true fanout-bench': 'needs a container engine',
};

let jaeger: Jaeger;
let collected: StartedByCommand;
/** Its spans reach nobody, so that what Jaeger knows of its runs was uploaded. */
let uncollected: StartedByCommand;
let folder: string;
/** Of what a test started for itself; it may fail before its end. */
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-readme-'));
  jaeger = await startJaeger();
  [collected, uncollected] = await Promise.all([
    startByCommand('npm start', { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl }),
    startByCommand('npm start', { OTEL_EXPORTER_OTLP_ENDPOINT: nowhere }),
  ]);
});
afterAll(async () => {
  await Promise.all([collected.stop(), uncollected.stop()]);
  await jaeger.stop();
  await rm(folder, { recursive: true });
});

const run: Readonly<Record<string, (command: string) => Promise<void>>> = {
  async 'npm start'() {
    const answer = await fetch(`${collected.url}/healthz`);
    expect(await answer.json()).toMatchObject({ status: 'ok' });
  },

  async './jaeger --config deploy/jaeger/config.yaml'(command) {
    const started = execFileSync('ps', ['-ww', '-o', 'args=', '-p', `${jaeger.pid}`], { encoding: 'utf8' });
    const fromHere = started
      .trim()
      .replace(`${root}/`, '')
      .replace(/^\S*\/jaeger-[\d.]+ /u, './jaeger ');
    expect(fromHere).toBe(command);
  },

  async 'curl localhost:16686/api/traces/<traceId>'(command) {
    const { trace } = await freshRun(collected);
    await jaeger.trace(trace.traceId, { atLeast: 5 });
    const printed = await sh(command.replace('<traceId>', trace.traceId), collected);
    expect(tracesSchema.parse(JSON.parse(printed)).data.map(({ traceID }) => traceID)).toEqual([
      trace.traceId,
    ]);
  },

  async [`id=$(curl -s localhost:8080/runs | grep -m1 '"id"' | cut -d'"' -f4)`](command) {
    const newest = await freshRun(uncollected);
    expect(await sh(`${command}; printf %s "$id"`, uncollected)).toBe(newest.run.id);
  },

  async 'curl -s "localhost:8080/runs/$id/trace.json" -o run.json'(command) {
    const { run: kept, trace } = await freshRun(uncollected);
    await sh(blockUpTo(command), uncollected);
    const spans = parseTraceJson(await readFile(join(folder, 'run.json'), 'utf8'));
    expect(spans.map(({ traceId }) => traceId)).toEqual(spans.map(() => trace.traceId));
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['sign', 'task s3 0', 'task s3 1']));
    expect(spans.map(({ attributes }) => attributes['bench.run.id'])).toContain(kept.id);
  },

  async "curl -H 'Content-Type: application/json' --data-binary @run.json localhost:4318/v1/traces"(command) {
    const { trace } = await freshRun(uncollected);
    await sh(blockUpTo(command), uncollected);
    const spans = await jaeger.trace(trace.traceId, { atLeast: 4 });
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['run s3 presigned-async', 'sign', 'task s3 0', 'task s3 1']),
    );
  },

  async 'curl -s localhost:8080/metrics | grep bench_run_duration_count'(command) {
    const { run: made } = await freshRun(collected);
    const printed = await sh(command, collected);
    expect(printed).toContain(`bench_workload="s3",bench_strategy="${made.strategy}"`);
  },

  async 'TARGET=aws AWS_REGION=eu-central-1 S3_BUCKET=my-bucket S3_PREFIX=photos/ npm start'(command) {
    const server = await startVersitygw();
    ending.push(() => server.stop());
    const account = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey };
    const { endpoint, region } = server;
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: account });
    await client.send(new CreateBucketCommand({ Bucket: 'my-bucket' }));
    for (const Key of ['other/0.jpg', 'photos/0.jpg', 'photos/1.jpg', 'photos/2.jpg'])
      await client.send(new PutObjectCommand({ Bucket: 'my-bucket', Key, Body: Key }));
    client.destroy();
    // Another server than AWS has a region of its own.
    const service = await startOwn(command.replace('eu-central-1', region), {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: account.accessKeyId,
      AWS_SECRET_ACCESS_KEY: account.secretAccessKey,
      OTEL_TRACES_EXPORTER: 'none',
    });
    const answer = await fetch(`${service.url}/bench/s3?tasks=3`);
    const body: unknown = await answer.json();
    expect(runSchema.parse(body)).toMatchObject({
      outcome: 'ok',
      run: { target: 'aws' },
      tasks: Array.from({ length: 3 }, () => ({ bytes: 'photos/0.jpg'.length })),
    });
  },

  async "EMULATOR_FAULTS='truncate@photos/3*' npm start"(command) {
    const service = await startOwn(command, { OTEL_TRACES_EXPORTER: 'none' });
    const answer = await fetch(`${service.url}/bench/s3`);
    const body = failedRunSchema.parse(await answer.json());
    expect(answer.status).toBe(502);
    expect(body.tasks.map(({ error }) => error?.code ?? null)).toEqual(
      body.tasks.map(({ index }) => (index === 3 ? 'body_truncated' : null)),
    );
  },

  'npm run compare -- fib': expectComparison,
  'npm run compare -- s3 --strategies sdk-single,presigned-async --rounds 20': expectComparison,

  async 'npm run runtimes -- node22 node24'(command) {
    // A new folder, so that there is something to install.
    const own = join(folder, 'runtimes');
    expect(await installRuntimes(command, own)).toMatch(/^node22 is there: 22\..*\nnode24 is there: 24\./mu);
    const node = join(own, 'node_modules/node22/bin/node');
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' })).toMatch(/^v22\./u);
  },

  async 'RUNTIMES=node26,node24,node22 npm start'(command) {
    const service = await startOwn(command, {
      RUNTIMES_FOLDER: await installedRuntimes(),
      OTEL_TRACES_EXPORTER: 'none',
    });
    const body: unknown = await (await fetch(`${service.url}/bench/fib?n=5&runtime=node24`)).json();
    expect(runSchema.parse(body).run.runtime.version).toMatch(/^24\./u);
  },

  // A setting, to be put before a command that starts the service.
  async "EMULATOR_FAULTS='slow@photos/*:5%,throttle@Question 0.*#1,error@GetCallerIdentity'"(command) {
    const service = await startOwn(`${command} npm start`, {
      EMULATOR_LATENCY_MS: '2',
      OTEL_TRACES_EXPORTER: 'none',
    });
    const bodyOf = async (path: string): Promise<unknown> => (await fetch(service.url + path)).json();
    const sts = failedRunSchema.parse(await bodyOf('/bench/sts?tasks=2'));
    const s3 = runSchema.parse(await bodyOf('/bench/s3'));
    expect(sts.tasks.map(({ error }) => error?.code)).toEqual(['upstream_error', 'upstream_error']);
    expect(s3.outcome).toBe('ok');
  },
};

describe('every command of the README', () => {
  it('is run by a test, or is known not to be, for a reason; and no other is', () => {
    const others = commandsOfReadme().filter((command) => !isRequest(command));
    expect(others.toSorted()).toEqual([...Object.keys(run), ...Object.keys(notRun)].toSorted());
  });

  it.each(Object.entries(run))('does what it is shown for: %s', async (command, expectOutcome) => {
    await expectOutcome(command);
  });

  it('that builds a Jaeger builds the one that these tests use', () => {
    const path = execFileSync('ps', ['-ww', '-o', 'args=', '-p', `${jaeger.pid}`], { encoding: 'utf8' });
    const version = /\/jaeger-([\d.]+) /u.exec(path)?.[1];
    const built = commandsOfReadme().filter((command) => command.includes('go '));
    expect(built.map((command) => /jaeger@v([\d.]+)/u.exec(command)?.[1])).toEqual([version, version]);
  });
});

/** A comparison by a service that the command starts. */
async function expectComparison(command: string): Promise<void> {
  const { stdout } = await promisify(execFile)('bash', ['-c', command], {
    cwd: root,
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  expect(stdout).toMatch(/^Recommended: \S/mu);
}

async function startOwn(...parameters: Parameters<typeof startByCommand>): Promise<StartedByCommand> {
  const service = await startByCommand(...parameters);
  ending.push(() => service.stop());
  return service;
}

const tracesSchema = z.object({ data: z.array(z.object({ traceID: z.string() })) });

/** A run that is the newest of its service when this resolves. */
async function freshRun(service: StartedByCommand): Promise<z.infer<typeof runSchema>> {
  const body: unknown = await (await fetch(`${service.url}/bench/s3?tasks=2`)).json();
  const made = runSchema.parse(body);
  const list: unknown = await (await fetch(`${service.url}/runs`)).json();
  expect(runListSchema.parse(list).runs[0]?.id).toBe(made.run.id);
  return made;
}

/** Runs commands in a folder of their own, on the ports that there are; gives what they print. */
async function sh(commands: string, service: StartedByCommand): Promise<string> {
  const script = commands
    .replaceAll('localhost:8080', `localhost:${service.port}`)
    .replaceAll('localhost:4318', new URL(jaeger.otlpUrl).host)
    .replaceAll('localhost:16686', new URL(jaeger.queryUrl).host);
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { cwd: folder });
  return stdout;
}
