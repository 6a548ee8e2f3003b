import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundlesIn } from '../../src/execution/bundles.ts';
import type { BundleFolder, Execution, OpenExecutor } from '../../src/execution/executor.ts';
import { workerProcesses, workerThreads, isolatesInProcesses } from '../../src/execution/workers.ts';
import { presigned, sdk } from '../../src/workloads/s3.ts';
import type { AnyTask } from '../../src/workloads/task.ts';
import { distFolder } from '../support/run-on-runner.ts';

/** Workers tell all that they were given. Only those whose tasks use the SDK are to be given credentials. */
const marked = {
  AWS_ACCESS_KEY_ID: 'MARKEDKEY',
  AWS_SECRET_ACCESS_KEY: 'MARKEDSECRET',
  AWS_SESSION_TOKEN: 'MARKEDTOKEN',
};
const ways: readonly (readonly [string, OpenExecutor])[] = [
  ['threads', workerThreads],
  ['subprocess', workerProcesses],
  ['isolate-subprocess', isolatesInProcesses],
];

let folder: string;
let bundles: BundleFolder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
  const workerpool = createRequire(import.meta.url).resolve('workerpool');
  const script = join(folder, 'probe.cjs');
  await writeFile(
    script,
    `const { env, argv, execArgv, title, pid } = process;
     const text = JSON.stringify({ env, argv, execArgv, title });
     const output = { value: null, body: null, text, llm: null };
     const facts = { pid, threadId: 0, startedAtNs: 0, endedAtNs: 0, cpuNs: null, reused: false, attempts: [], processCpuMs: null };
     require(${JSON.stringify(workerpool)}).worker({ work: () => ({ ...facts, result: { state: 'ok', output } }) });`,
  );
  bundles = { worker: () => script, isolateWorker: () => script, isolateSource: async () => '' };
});
afterAll(() => rm(folder, { recursive: true }));

describe('a worker', () => {
  it.each(ways)('of a presigned run in %s holds no credentials', async (_, open) => {
    const told = await tellOf(open, presigned, bundles);
    expect(told).toContain('"env":');
    expect(told).not.toContain('MARKED');
  });

  it.each(ways)('of an SDK run in %s holds them, or this test could not fail', async (_, open) => {
    const told = await tellOf(open, sdk, bundles);
    for (const secret of Object.values(marked)) expect(told).toContain(secret);
  });
});

describe('an isolate', () => {
  it('has nothing of Node, in which credentials could be', async () => {
    const names = ['process', 'require', 'module', 'Buffer', 'fetch', 'performance'];
    const source = `globalThis.fanout = { task: { run: () => ({ state: 'ok', output: {
      value: null, body: null, llm: null, text: ${JSON.stringify(names)}.map((name) => typeof globalThis[name]).join() } }) } };`;
    const real = bundlesIn(distFolder);
    const isolateWorker = (): string => real.isolateWorker(null);
    const told = await tellOf(isolatesInProcesses, presigned, {
      ...real,
      isolateWorker,
      isolateSource: async () => source,
    });
    expect(told).toBe(names.map(() => 'undefined').join());
  });
});

/** What a task's worker answers, in words. */
async function tellOf(open: OpenExecutor, task: AnyTask, from: BundleFolder): Promise<string> {
  const executor = await open({
    clock: () => 0,
    originNs: '0',
    task,
    bundle: 'probe',
    bundles: from,
    settings: { region: 'us-east-1', endpoint: null, sockets: 1, attempts: 1 },
    client: null,
    pool: 'cold',
    concurrency: 1,
    maxWorkers: 64,
    openHttp: null,
    awsEnvironment: marked,
  });
  const heard: Execution[] = [];
  const failures: string[] = [];
  await executor.execute({
    index: 0,
    input: {},
    traceparent: null,
    signal: new AbortController().signal,
    started: () => undefined,
    returned: (execution) => heard.push(execution),
    crashed: (message) => failures.push(message),
  });
  expect(failures).toEqual([]);
  const result = heard[0]?.result;
  return result?.state === 'ok' ? (result.output.text ?? '') : JSON.stringify(result);
}
