import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskHandle } from '../../src/execution/executor.ts';
import { workerThreads } from '../../src/execution/workers.ts';
import { task } from '../../src/workloads/fib.ts';

const report = {
  pid: 1,
  threadId: 1,
  startedAtNs: 1,
  endedAtNs: 2,
  cpuNs: null,
  reused: false,
  attempts: [],
  result: { state: 'ok', output: { value: 1, body: null, text: null, llm: null } },
  processCpuMs: null,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a runner hears of a task whose worker sends these, each as workerpool's own protocol has it. */
async function heardOf(name: string, messages: readonly object[]): Promise<readonly unknown[]> {
  // From inside a thread, without workerpool's library.
  const script = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ id }) => {
      for (const message of ${JSON.stringify(messages)}) parentPort.postMessage({ id, error: null, ...message });
    });
    parentPort.postMessage('ready');`;
  await writeFile(join(folder, `${name}.cjs`), script);
  const executor = await workerThreads({
    clock: () => 0,
    originNs: '0',
    task,
    bundle: 'probe',
    bundles: {
      worker: () => join(folder, `${name}.cjs`),
      isolateWorker: () => '',
      isolateSource: async () => '',
    },
    settings: { region: 'us-east-1', endpoint: null, sockets: 1, attempts: 1 },
    client: null,
    pool: 'cold',
    concurrency: 1,
    maxWorkers: 64,
    openHttp: null,
    awsEnvironment: {},
  });
  const heard: unknown[] = [];
  const handle: TaskHandle = {
    index: 0,
    input: {},
    traceparent: null,
    signal: new AbortController().signal,
    started: ({ startedAtNs }) => heard.push(['started', startedAtNs]),
    returned: ({ endedAtNs }) => heard.push(['returned', endedAtNs]),
    crashed: (message) => heard.push(['crashed', message]),
  };
  await executor.execute(handle);
  return heard;
}

describe('a runner', () => {
  it('hears of a task that starts and of one that has run', async () => {
    const event = { isEvent: true, payload: { pid: 1, threadId: 1, startedAtNs: 1 } };
    expect(await heardOf('sound', [event, { result: report }])).toEqual([
      ['started', 1],
      ['returned', 2],
    ]);
  });

  it('takes a worker that reports what is no report as crashed', async () => {
    const result = { ...report, pid: 'not a number' };
    expect(await heardOf('no-report', [{ result }])).toEqual([
      ['crashed', 'the worker sent what is no report of a task'],
    ]);
  });

  it.each<[string, unknown]>([
    ['an instant that is not whole', { pid: 1, threadId: 1, startedAtNs: 0.5 }],
    ['no place', { startedAtNs: 1 }],
    ['no data', null],
  ])('takes a worker that announces a start with %s as crashed', async (name, payload) => {
    const messages = [{ isEvent: true, payload }, { result: report }];
    expect(await heardOf(name.replaceAll(' ', '-'), messages)).toEqual([
      ['crashed', 'the worker sent what is no start of a task'],
    ]);
  });
});
