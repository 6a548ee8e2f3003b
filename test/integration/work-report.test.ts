import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskHandle } from '../../src/execution/executor.ts';
import { workerThreads } from '../../src/execution/workers.ts';
import { task } from '../../src/workloads/fib.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
  // What workerpool's own protocol looks like from inside a thread, without its library.
  const script = `
    const { parentPort } = require('node:worker_threads');
    parentPort.on('message', ({ id }) => parentPort.postMessage({ id, result: { pid: 'not a number' }, error: null }));
    parentPort.postMessage('ready');`;
  await writeFile(join(folder, 'worker.cjs'), script);
});
afterAll(() => rm(folder, { recursive: true }));

it('a worker that reports what is no report has crashed, and its runner has not', async () => {
  const executor = await workerThreads({
    clock: () => 0,
    originNs: '0',
    task,
    bundle: 'probe',
    bundles: {
      worker: () => join(folder, 'worker.cjs'),
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
  const heard: string[] = [];
  const handle: TaskHandle = {
    index: 0,
    input: {},
    traceparent: null,
    signal: new AbortController().signal,
    started: () => heard.push('started'),
    returned: () => heard.push('returned'),
    crashed: () => heard.push('crashed'),
  };
  await executor.execute(handle);
  expect(heard).toEqual(['crashed']);
});
