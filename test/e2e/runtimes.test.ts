import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drive } from '../../src/bench/drive.ts';
import { planRun } from '../../src/bench/plan.ts';
import { findRuntimes } from '../../src/find-runtimes.ts';
import { workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { clockFrom } from '../../src/record/clock.ts';
import type { TaskRecord } from '../../src/record/record.ts';
import { runtimeNames, type Runtime, type RuntimeName } from '../../src/runner/runtimes.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';
import { installedRuntimes } from '../support/installed-runtimes.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { distFolder, targetAt, worldOf } from '../support/run-on-runner.ts';
import type { RunningService } from '../support/service.ts';
import { startTracedService } from '../support/traced-service.ts';
import { cells, type Cell } from './matrix.ts';

const majors: Readonly<Record<RuntimeName, RegExp>> = {
  node26: /^26\./u,
  node24: /^24\./u,
  node22: /^22\./u,
};
const inIsolates = cells.filter(({ strategy }) => strategy.declaration.isolate);
const tasks = 2;

let folder: string;
beforeAll(async () => {
  folder = await installedRuntimes();
});

describe('the service with three runtimes', () => {
  let service: RunningService;
  let receiver: OtlpReceiver;
  let catalogue: z.infer<typeof workloadsSchema>;
  beforeAll(async () => {
    const traced = await startTracedService({
      EMULATOR_LATENCY_MS: '3',
      RUNTIMES: 'node22,node24,node26',
      RUNTIMES_FOLDER: folder,
    });
    ({ service, receiver } = traced);
    catalogue = workloadsSchema.parse(JSON.parse((await service.get('/workloads')).text));
    return traced.stop;
  });

  it('has found out that Node 22 has no isolates, and that the others have', () => {
    expect(catalogue.runtimes.map(({ name, isolates }) => [name, isolates.possible])).toEqual([
      ['node26', true],
      ['node24', true],
      ['node22', false],
    ]);
    for (const { name, version } of catalogue.runtimes)
      expect(version).toMatch(majors[z.enum(runtimeNames).parse(name)]);
    expect(catalogue.runtimes.at(-1)?.isolates.reason).toMatch(/^isolated-vm does not work in Node 22\./u);
  });

  it.each(inIsolates)(
    'refuses $title on Node 22 with the reason of the catalogue',
    async ({ path, ...cell }) => {
      const reason = reasonFor(cell, 'node22');
      expect(reason).toMatch(/^isolated-vm does not work in Node 22\./u);
      expect(await service.refused(`${path}&runtime=node22`, 400)).toMatchObject({
        code: 'unsupported_combination',
        errors: [{ field: 'runtime', value: 'node22', reason, allowed: ['node26', 'node24'] }],
      });
    },
  );

  describe.each([
    ['node24', cells],
    ['node22', cells.filter((cell) => !inIsolates.includes(cell))],
  ] as const)('%s', (runtime, possible) => {
    it.each(possible)('executes $title', async ({ path, ...cell }) => {
      expect(reasonFor(cell, runtime)).toBeNull();
      const { run, outcome, trace } = await service.run(`${path}&tasks=${tasks}&runtime=${runtime}`);
      expect([outcome, run.runtime]).toEqual([
        'ok',
        { name: runtime, version: expect.stringMatching(majors[runtime]) },
      ]);
      await receiver.received(2 + tasks + (cell.strategy.access === 'presigned' ? 1 : 0), trace.traceId);
      const spans = receiver.byTrace(trace.traceId).filter(({ name }) => name.startsWith('run '));
      expect(spans.map(({ attributes }) => attributes['bench.runtime'])).toEqual([runtime]);
    });
  });

  it('compares a strategy in several runtimes', async () => {
    const path =
      '/compare/fib?n=12&tasks=2&rounds=6&warmup=0&runtime=node22,node26&strategies=single,threads';
    const { machine, cells: compared } = JSON.parse((await service.get(path)).text);
    expect(machine.runtimes).toEqual({
      node22: expect.stringMatching(majors.node22),
      node26: process.versions.node,
    });
    expect(compared.map(({ params }: { params: { runtime: string } }) => params.runtime)).toEqual([
      'node22',
      'node26',
    ]);
  });

  /** Why the catalogue says that it can't be had. */
  function reasonFor({ workload, strategy }: Pick<Cell, 'workload' | 'strategy'>, runtime: string) {
    const card = catalogue.workloads.find(({ name }) => name === workload.name);
    return card?.strategies.find((one) => one.strategy === strategy.name)?.runtimes[runtime];
  }
});

describe.each(runtimeNames)('what executes tasks in %s', (name) => {
  let built: string;
  let runtime: Runtime | undefined;
  let supervisor: Supervisor;
  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'fanout-bench-versions-'));
    await buildWithProbes(built);
    const runtimes = await findRuntimes({ runtimes: [name], runtimesFolder: folder }, distFolder);
    [runtime] = runtimes;
    supervisor = new Supervisor({ distFolder: built, environment: {}, runtimes, maxWorkers: 64 });
  });
  afterAll(async () => {
    await supervisor.stop();
    await rm(built, { recursive: true });
  });

  it.each(['threads', 'subprocess', 'isolate-subprocess'])(
    'for %s is that version, by its own word, and reads the same clock as the service',
    async (strategy) => {
      if (runtime === undefined) throw new Error(`${name} was not found`);
      // What executes the isolates there is a process as any other, whose version a probe can tell.
      const able: Runtime = { ...runtime, noIsolates: null };
      const given = { strategy, tasks: String(tasks), runtime: name };
      const world = worldOf(targetAt(null), {}, [able]);
      const plan = planRun({ workload: 'fib', given, problems: [] }, world);
      const { signal } = new AbortController();
      const lease = await supervisor.lease(plan, signal);
      const clock = clockFrom('0');
      const beforeNs = clock();
      const order = {
        runId: strategy,
        plan,
        target: world.target,
        originNs: '0',
        maxWorkers: 64,
        traceparents: null,
      };
      const { ended, begun } = await drive(order, lease.runner, clock, signal);
      const afterNs = clock();
      lease.release();
      const told = [...ended.values()].map(answerOf);
      expect(told.map(({ version }) => version)).toEqual([runtime.version, runtime.version]);
      expect(runtime.version).toMatch(majors[name]);
      expect(lease.runner.runtime).toEqual({ name, version: runtime.version });
      const readings = [begun?.startedAtNs, ...told.map(({ hrtimeNs }) => hrtimeNs)].map(Number);
      expect(Math.min(...readings)).toBeGreaterThan(beforeNs);
      expect(Math.max(...readings)).toBeLessThan(afterNs);
    },
  );
});

const answer = z.object({ version: z.string(), hrtimeNs: z.number() });

function answerOf(task: TaskRecord): z.infer<typeof answer> {
  if (task.state !== 'ok' || task.output.text === null) throw new Error(JSON.stringify(task));
  return answer.parse(JSON.parse(task.output.text));
}

/** A worker that tells who it is, in place of the task's. */
const probingWorker = `
  const facts = { pid: process.pid, threadId: 0, startedAtNs: 0, endedAtNs: 0, cpuNs: null, reused: false, attempts: [], processCpuMs: null };
  require(${JSON.stringify(createRequire(import.meta.url).resolve('workerpool'))}).worker({
    work() {
      const text = JSON.stringify({ version: process.versions.node, hrtimeNs: Number(process.hrtime.bigint()) });
      return { ...facts, result: { state: 'ok', output: { value: null, body: null, text, llm: null } } };
    },
  });`;

/** The built files, but for the workers of fib. */
async function buildWithProbes(target: string): Promise<void> {
  await mkdir(join(target, 'workers'));
  await Promise.all([
    ...['fib.js', 'isolate.js'].map((name) => writeFile(join(target, 'workers', name), probingWorker)),
    ...(await readdir(distFolder))
      .filter((name) => name !== 'workers')
      .map((name) => symlink(join(distFolder, name), join(target, name))),
  ]);
}
