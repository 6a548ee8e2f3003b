import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundlesIn } from '../../src/execution/bundles.ts';
import type { BundleFolder, Execution, OpenExecutor } from '../../src/execution/executor.ts';
import { isolatesOnMainThread, isolatesOnOwnThreads } from '../../src/execution/isolates.ts';
import { isolatesInProcesses, workerProcesses, workerThreads } from '../../src/execution/workers.ts';
import type { Pool } from '../../src/record/plan.ts';
import { task } from '../../src/workloads/fib.ts';
import { account, EmulatedBenches, signedStrategies } from '../support/emulated.ts';
import { Relay, type SeenConnection } from '../support/relay.ts';
import { distFolder, targetAt, type RunnerBench } from '../support/run-on-runner.ts';

/** Cold is cold: of what earlier runs used, warm ones too, a cold run finds nothing. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

const presigned = signedStrategies.filter((strategy) => strategy.startsWith('presigned-'));
const cells = [
  ...signedStrategies.map((strategy) => ({ title: strategy, given: { strategy } })),
  ...presigned.map((strategy) => ({
    title: `${strategy}, undici`,
    given: { strategy, client: 'undici' },
  })),
];

describe('connections', () => {
  const benches = new EmulatedBenches();
  let relay: Relay;
  let bench: RunnerBench;
  let lookups: string;
  beforeAll(async () => {
    // In the runner alone: the environment of workers has nothing in it.
    lookups = join(folder, 'lookups');
    const hook = join(folder, 'hook.cjs');
    await writeFile(lookups, '');
    await writeFile(
      hook,
      `const dns = require('node:dns');
       const { lookup } = dns;
       dns.lookup = (...all) => {
         require('node:fs').appendFileSync(${JSON.stringify(lookups)}, all[0] + '\\n');
         return lookup(...all);
       };`,
    );
    const { endpoints } = await benches.target();
    relay = await Relay.to(endpoints.s3 ?? '');
    // A name, which has to be looked up.
    const target = targetAt(`http://localhost:${relay.port}`, { keys: ['photos/0.jpg', 'photos/1.jpg'] });
    bench = benches.at(target, { ...account, NODE_OPTIONS: `--require ${hook}` });
  });
  afterAll(async () => {
    await benches.close();
    await relay.close();
  });

  /** Which connections a run made, which it used, and how many names its runner looked up. */
  async function connectionsOf(given: Readonly<Record<string, string>>, pool: Pool) {
    const sentBefore = relay.connections.map(({ sent }) => sent);
    const lookedUpBefore = await linesIn(lookups);
    const { outcome } = await bench.run('s3', { ...given, pool, tasks: '3' });
    expect(outcome).toBe('ok');
    const old: SeenConnection[] = relay.connections.slice(0, sentBefore.length);
    return {
      made: relay.connections.slice(sentBefore.length),
      oldOnesUsed: old.filter(({ sent }, index) => sent !== sentBefore[index]).length,
      lookups: (await linesIn(lookups)) - lookedUpBefore,
    };
  }

  /** A warm run that found all it used; on a busy machine the first ones may not have needed as many connections. */
  function warmed(given: Readonly<Record<string, string>>) {
    return vi.waitFor(
      async () => {
        const warm = await connectionsOf(given, 'warm');
        expect(warm).toMatchObject({ made: [], lookups: 0 });
        expect(warm.oldOnesUsed).toBeGreaterThan(0);
        return warm;
      },
      { timeout: 10_000 },
    );
  }

  it.each(cells)('$title: a cold run uses none but its own, and closes them', async ({ given }) => {
    await warmed(given);
    for (let run = 0; run < 2; run += 1) {
      const cold = await connectionsOf(given, 'cold');
      expect([cold.made.length > 0, cold.oldOnesUsed]).toEqual([true, 0]);
      await vi.waitFor(() => expect(cold.made.filter(({ open }) => open)).toEqual([]));
    }
  });

  it.each(
    cells.filter(({ title }) => !/threads|subprocess/u.test(title) || title.includes('isolate-threads')),
  )(
    '$title: a cold run looks the name up for each, and a warm one has nothing to look up',
    async ({ given }) => {
      await warmed(given);
      for (let run = 0; run < 2; run += 1) {
        const cold = await connectionsOf(given, 'cold');
        expect(cold.lookups).toBe(cold.made.length);
      }
    },
  );
});

describe('modules', () => {
  let counting: BundleFolder;
  let isolated: BundleFolder;
  beforeAll(async () => {
    const workerpool = createRequire(import.meta.url).resolve('workerpool');
    const script = join(folder, 'counting.cjs');
    await writeFile(
      script,
      `let uses = 0;
       const facts = { pid: 1, threadId: 0, startedAtNs: 0, endedAtNs: 0, cpuNs: null, reused: false, attempts: [], processCpuMs: null };
       const work = () => {
         const output = { value: null, body: null, text: String((uses += 1)), llm: null };
         return { ...facts, result: { state: 'ok', output } };
       };
       require(${JSON.stringify(workerpool)}).worker({ work });`,
    );
    counting = { worker: () => script, isolateWorker: () => script, isolateSource: async () => '' };
    const source = `let uses = 0;
      const run = () => ({ state: 'ok', output: { value: null, body: null, text: String((uses += 1)), llm: null } });
      globalThis.fanout = { task: { run } };`;
    const real = bundlesIn(distFolder);
    isolated = {
      worker: () => '',
      isolateWorker: () => real.isolateWorker(null),
      isolateSource: async () => source,
    };
  });

  const ways: readonly (readonly [string, OpenExecutor, () => BundleFolder])[] = [
    ['a worker thread', workerThreads, () => counting],
    ['a worker process', workerProcesses, () => counting],
    ['the process of an isolate', isolatesInProcesses, () => counting],
    ['an isolate in a process', isolatesInProcesses, () => isolated],
    ['an isolate on the main thread', isolatesOnMainThread, () => isolated],
    ['an isolate on a thread of its own', isolatesOnOwnThreads, () => isolated],
  ];

  it.each(ways)(
    '%s: a cold task’s are evaluated for it, a warm one finds them',
    async (name, open, bundles) => {
      const uses = async (pool: Pool): Promise<string> => usesIn(open, bundles(), pool, name);
      expect([await uses('warm'), await uses('warm')]).toEqual(['1 2', '3 4']);
      expect([await uses('cold'), await uses('cold')]).toEqual(['1 1', '1 1']);
      expect(await uses('warm')).toBe('5 6');
    },
  );
});

async function linesIn(file: string): Promise<number> {
  return (await readFile(file, 'utf8')).split('\n').length;
}

/** How often the module of each of two tasks, one after the other, was used by then. */
async function usesIn(
  open: OpenExecutor,
  bundles: BundleFolder,
  pool: Pool,
  bundle: string,
): Promise<string> {
  const executor = await open({
    clock: () => 0,
    originNs: '0',
    task,
    bundle,
    bundles,
    settings: { region: 'us-east-1', endpoint: null, sockets: 1, attempts: 1 },
    client: null,
    pool,
    concurrency: 1,
    maxWorkers: 64,
    openHttp: null,
    awsEnvironment: {},
  });
  const heard: Execution[] = [];
  const failures: string[] = [];
  for (const index of [0, 1]) {
    await executor.execute({
      index,
      input: {},
      traceparent: null,
      signal: new AbortController().signal,
      started: () => undefined,
      returned: (execution) => heard.push(execution),
      crashed: (message) => failures.push(message),
    });
  }
  await executor.close();
  expect(failures).toEqual([]);
  return heard.map(({ result }) => (result.state === 'ok' ? result.output.text : '?')).join(' ');
}
