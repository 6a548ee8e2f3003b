import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drive } from '../../src/bench/drive.ts';
import { planRun } from '../../src/bench/plan.ts';
import { isolateGlobal } from '../../src/execution/isolate-global.ts';
import { clockFrom } from '../../src/record/clock.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';
import { childrenOf, workersOf } from '../support/process-table.ts';
import { distFolder, ownRuntime, targetAt, worldOf } from '../support/run-on-runner.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Real runners and the real service with an account that is easy to find wherever it turns up. */
const account = {
  AWS_ACCESS_KEY_ID: 'MARKEDKEY',
  AWS_SECRET_ACCESS_KEY: 'MARKEDSECRET',
  AWS_SESSION_TOKEN: 'MARKEDTOKEN',
};

/** A worker that tells what it was started with, and what it was asked. */
const probingWorker = `
  const { env, argv, execArgv, title, pid } = process;
  const facts = { pid, threadId: 0, startedAtNs: 0, endedAtNs: 0, cpuNs: null, reused: false, attempts: [], processCpuMs: null };
  require(${JSON.stringify(createRequire(import.meta.url).resolve('workerpool'))}).worker({
    work(order) {
      const text = JSON.stringify({ env, argv, execArgv, title, order: JSON.stringify(order) });
      return { ...facts, result: { state: 'ok', output: { value: null, body: null, text, llm: null } } };
    },
  });`;

/** A task for an isolate that looks through all that it can reach, and tells what is marked. */
const probingSource = `
  var ${isolateGlobal} = { task: { async run(input) {
    const seen = new Set();
    const marked = [];
    const look = (value) => {
      if (typeof value === 'string' && value.includes('MARKED')) marked.push(value);
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        look(key);
        const { value: member, get, set } = Reflect.getOwnPropertyDescriptor(value, key);
        [member, get, set].forEach(look);
      }
      look(Reflect.getPrototypeOf(value));
    };
    look(globalThis);
    const found = marked.length;
    look(input);
    const text = JSON.stringify({ globals: Object.getOwnPropertyNames(globalThis), found, seen: seen.size, given: marked.join() });
    return { state: 'ok', output: { value: null, body: null, text, llm: null } };
  } } };`;

const workerAnswer = z.object({
  env: z.record(z.string(), z.string()),
  argv: z.array(z.string()),
  execArgv: z.array(z.string()),
  title: z.string(),
  order: z.string(),
});
const isolateAnswer = z.object({
  globals: z.array(z.string()),
  found: z.int(),
  seen: z.int(),
  given: z.string(),
});

describe('on a runner that holds credentials', () => {
  let folder: string;
  let supervisor: Supervisor;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fanout-bench-probes-'));
    await buildWithProbes(folder);
    supervisor = new Supervisor({
      distFolder: folder,
      environment: account,
      runtimes: [ownRuntime],
      maxWorkers: 64,
    });
  });
  afterAll(async () => {
    await supervisor.stop();
    await rm(folder, { recursive: true });
  });

  it.each([
    ['threads', []],
    ['subprocess', ['--title=fanout-bench worker']],
  ])('a worker of presigned-%s is given none, and no flag either', async (strategy, flags) => {
    const { order, ...told } = workerAnswer.parse(await answerOf(`presigned-${strategy}`));
    expect(told.env).toEqual({});
    expect(told.execArgv).toEqual(flags);
    expect(JSON.stringify(told)).not.toContain('MARKED');
    // What it is asked has a signed URL, in which key and token stand for all to see.
    expect(order).toContain('MARKEDKEY');
    expect(order).not.toContain(account.AWS_SECRET_ACCESS_KEY);
  });

  it.each(['threads', 'subprocess'])(
    'a worker of sdk-%s is given them, and nothing else',
    async (strategy) => {
      const { env, order } = workerAnswer.parse(await answerOf(`sdk-${strategy}`));
      expect(env).toEqual(account);
      expect(order).not.toContain('MARKED');
    },
  );

  it.each(['isolate', 'isolate-threads', 'isolate-subprocess'])(
    'the isolate of presigned-%s has the language, its task, and no way to them',
    async (strategy) => {
      const { globals, found, seen, given } = isolateAnswer.parse(await answerOf(`presigned-${strategy}`));
      const language = new Set(
        z.array(z.string()).parse(runInNewContext('Object.getOwnPropertyNames(this)')),
      );
      expect(globals.filter((name) => !language.has(name))).toEqual([isolateGlobal]);
      expect(seen).toBeGreaterThan(500);
      expect(found).toBe(0);
      // It would have found them, as it did the signed URL that it was given.
      expect(given).toContain('MARKEDKEY');
      expect(given).not.toContain(account.AWS_SECRET_ACCESS_KEY);
    },
  );

  /** What the one task of an s3 run says when a probe stands in its place. */
  async function answerOf(strategy: string): Promise<unknown> {
    const target = targetAt('http://127.0.0.1:9', { keys: ['a'] });
    const plan = planRun({ workload: 's3', given: { strategy, tasks: '1' }, problems: [] }, worldOf(target));
    const { signal } = new AbortController();
    const originNs = String(process.hrtime.bigint());
    const lease = await supervisor.lease(plan, signal);
    const order = { runId: strategy, plan, target, originNs, maxWorkers: 64, traceparents: null };
    const { ending, ended } = await drive(order, lease.runner, clockFrom(originNs), signal);
    lease.release();
    const task = ended.get(0);
    if (task?.state !== 'ok' || task.output.text === null)
      throw new Error(JSON.stringify({ ending, task: task ?? null }));
    return JSON.parse(task.output.text);
  }
});

// Only Linux shows what another process was started with.
describe.runIf(process.platform === 'linux')('while the answer of S3 is out', () => {
  const tasks = 2;
  let silent: Server;
  let requests = 0;
  let service: RunningService;
  beforeAll(async () => {
    silent = createServer(() => {
      requests += 1;
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    service = await startService({
      ...account,
      TARGET: 'aws',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
      AWS_REGION: 'us-east-1',
      S3_BUCKET: 'pictures',
      S3_KEYS: 'a.jpg,b.jpg',
    });
  });
  afterAll(async () => {
    await service.stop();
    silent.close();
    silent.closeAllConnections();
  });

  it.each(['presigned-subprocess', 'presigned-isolate-subprocess'])(
    'the processes of %s hold no credentials, and nothing else of the environment',
    async (strategy) => {
      const processes = await processesAtWork(strategy);
      expect(processes).toHaveLength(tasks);
      for (const { environment, command } of processes) {
        expect(Object.keys(environment).filter((name) => !name.startsWith('NODE_CHANNEL_'))).toEqual([]);
        expect(JSON.stringify([environment, command])).not.toContain('MARKED');
      }
    },
  );

  it('the processes of sdk-subprocess hold them, or this test could not fail', async () => {
    const processes = await processesAtWork('sdk-subprocess');
    expect(processes).toHaveLength(tasks);
    for (const { environment, command } of processes) {
      expect(environment).toMatchObject(account);
      expect(command).not.toContain('MARKED');
    }
  });

  /** What the process workers of a run were started with, read while each of them waits for its answer. */
  async function processesAtWork(strategy: string): Promise<readonly StartedWith[]> {
    const before = requests;
    const client = new AbortController();
    const path = `${service.url}/bench/s3?strategy=${strategy}&tasks=${tasks}`;
    const asked = fetch(path, { signal: client.signal }).then(
      async (answer) => answer.text(),
      () => 'given up',
    );
    await expect.poll(() => requests - before, { timeout: 60_000 }).toBe(tasks);
    const workers = childrenOf(service.pid, 'fanout-bench runner').flatMap(workersOf);
    const processes = await Promise.all(workers.map(startedWith));
    client.abort();
    expect(await asked).toBe('given up');
    // The next run must not find its workers.
    await expect.poll(() => workers.filter(isAtWork), { timeout: 20_000 }).toEqual([]);
    return processes;
  }

  function isAtWork(pid: number): boolean {
    return childrenOf(service.pid, 'fanout-bench runner').flatMap(workersOf).includes(pid);
  }
});

interface StartedWith {
  readonly environment: Readonly<Record<string, string>>;
  readonly command: string;
}

async function startedWith(pid: number): Promise<StartedWith> {
  const [environment, command] = await Promise.all(
    ['environ', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  const variables = (environment ?? '').split('\0').filter((variable) => variable.includes('='));
  return {
    environment: Object.fromEntries(
      variables.map((variable) => {
        const at = variable.indexOf('=');
        return [variable.slice(0, at), variable.slice(at + 1)];
      }),
    ),
    command: (command ?? '').replaceAll('\0', ' '),
  };
}

/** The built files, but for the code of the tasks of s3. */
async function buildWithProbes(folder: string): Promise<void> {
  await Promise.all(['workers', 'isolates'].map((name) => mkdir(join(folder, name))));
  await Promise.all([
    ...['s3-presigned-got.js', 's3-sdk.js'].map((name) =>
      writeFile(join(folder, 'workers', name), probingWorker),
    ),
    writeFile(join(folder, 'isolates/s3-presigned.js'), probingSource),
    symlink(join(distFolder, 'workers/isolate-got.js'), join(folder, 'workers/isolate-got.js')),
    ...(await readdir(distFolder, { withFileTypes: true }))
      .filter(({ name }) => name !== 'workers' && name !== 'isolates')
      .map(({ name }) => symlink(join(distFolder, name), join(folder, name))),
  ]);
}
