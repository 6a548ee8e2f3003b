import { once } from 'node:events';
import { request } from 'node:http';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { descendantsOf, leftOverOf, survivorsOf } from '../support/processes.ts';
import { isAlive, processTable, workersOf, type ProcessRow } from '../support/process-table.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';

/** The real service with runs that would take minutes: what is stopped is dead, and nothing else is harmed. */
const names = strategies.map(({ declaration }) => declaration.name);
const runaway = '/bench/fib?n=50&tasks=2';
/** These never start a worker of their own: the runner itself is what must be killed. */
const onMainThread = new Set(['single', 'async', 'isolate']);

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await OtlpReceiver.listen();
});
afterAll(() => receiver.close());

function start(): Promise<RunningService> {
  return startService(tracingTo(receiver.url));
}

describe('a run past its time limit', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await start();
  });
  afterAll(() => service.stop());

  it.each(names)(
    '%s: is stopped while the service answers and another run goes on, and leaves nothing',
    async (strategy) => {
      const health = keepAskingHealth(service);
      const other = service.run('/bench/sleep?strategy=async&tasks=3&ms=1600');
      const body = await service.failedRun(`${runaway}&strategy=${strategy}&timeoutMs=800`, 504);
      const runnerPid = Number(body.runner.pid);
      const leftWhenAnswered = workersOf(runnerPid);
      const { outcome, runner } = await other;
      const statuses = await health.end();

      expect(body).toMatchObject({ status: 504, code: 'run_timeout', outcome: 'run_timeout' });
      expect(body.tasks.map(({ state, error }) => [state, error?.code])).toEqual([
        ['failed', 'run_timeout'],
        ['failed', 'run_timeout'],
      ]);
      expect(leftWhenAnswered).toEqual([]);
      expect(isAlive(runnerPid)).toBe(!onMainThread.has(strategy));
      expect(outcome).toBe('ok');
      expect(runner.runsInFlight).toBeGreaterThan(0);
      expect(statuses.length).toBeGreaterThan(3);
      expect(new Set(statuses)).toEqual(new Set([200]));
    },
  );

  it.each(names)('%s: sends all its spans, each with status ERROR', async (strategy) => {
    const { trace } = await service.failedRun(`${runaway}&strategy=${strategy}&timeoutMs=800`, 504);
    await receiver.received(4, trace.traceId);
    const told = receiver
      .byTrace(trace.traceId)
      .map(({ name, status, attributes }) => [name, status.code, attributes['error.type']]);
    expect(told).toHaveLength(4);
    expect(new Set(told)).toEqual(
      new Set([
        ['GET /bench/:workload', 'ERROR', '504'],
        [`run fib ${strategy}`, 'ERROR', 'run_timeout'],
        ['task fib 0', 'ERROR', 'run_timeout'],
        ['task fib 1', 'ERROR', 'run_timeout'],
      ]),
    );
  });

  it.each(names)('%s: burns no CPU time afterwards', async (strategy) => {
    await service.failedRun(`${runaway}&strategy=${strategy}&timeoutMs=800`, 504);
    const { runner } = await service.run(`/bench/sleep?strategy=${strategy}&tasks=1&ms=2000`);
    // A loop that went on in its runner would have taken about all of the two seconds.
    expect(Number(runner.cpuMs)).toBeLessThan(1_000);
  });

  it.each([
    ['begin', 's3?strategy=sdk-async'],
    ['are signed', 's3?strategy=presigned-async'],
    ['are signed', 'sts?strategy=presigned-async'],
  ])(
    'ten thousand requests that %s at once, of %s: are stopped, and no other run is harmed',
    async (_, run) => {
      const other = service.run('/bench/sleep?strategy=threads&tasks=2&ms=5000');
      const body = await service.failedRun(`/bench/${run}&tasks=10000&timeoutMs=1000`, 504);
      const { outcome, runner } = await other;
      expect([outcome, runner.pid]).toEqual(['ok', body.runner.pid]);
    },
  );

  it('ends with runners, a guard for each, the emulator, and nothing else', async () => {
    await expect.poll(() => rolesBelow(service.pid), { timeout: 10_000 }).not.toContain('worker');
    const runners = rolesBelow(service.pid).filter((role) => role === 'runner');
    await expect
      .poll(() => rolesBelow(service.pid), { timeout: 10_000 })
      .toEqual(['emulator', ...runners.map(() => 'reaper'), ...runners]);
  });
});

describe('a client that goes away', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await start();
  });
  afterAll(() => service.stop());

  it.each(names)('%s: has its run cancelled, and nothing of it is left', async (strategy) => {
    const { leave } = await runUnderWay(service, strategy);
    const workers = having(service.pid, 'worker');
    leave();
    const run = await newestRun(service, strategy);
    expect(run.outcome).toBe('cancelled');
    const body = JSON.parse((await service.get(`/runs/${run.id}`)).text);
    expect(body.tasks.map(({ state }: { readonly state: string }) => state)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect(await leftOverOf(workers)).toEqual([]);
    expect(workersOf(body.runner.pid)).toEqual([]);
    expect(isAlive(body.runner.pid)).toBe(!onMainThread.has(strategy));

    await receiver.received(4, run.traceId);
    for (const { attributes, status } of receiver.taskSpans(run.traceId)) {
      expect([attributes['bench.task.state'], status.code]).toEqual(['cancelled', 'UNSET']);
    }
    const next = await service.run(`/bench/sleep?strategy=${strategy}&tasks=1&ms=2000`);
    expect(Number(next.runner.cpuMs)).toBeLessThan(1_000);
  });
});

describe('the service', () => {
  let service: RunningService;
  let all: readonly ProcessRow[] = [];
  beforeEach(async () => {
    service = await start();
  });
  afterEach(async () => {
    await service.stop();
    // Only where a test failed are there any; they would burn on through all that follows.
    for (const { pid } of survivorsOf(all)) process.kill(pid, 'SIGKILL');
  });

  it.each(names)('killed in the middle of %s leaves no process within 3 s', async (strategy) => {
    await runUnderWay(service, strategy);
    all = descendantsOf(service.pid);
    expect(rolesOf(all)).toEqual(expectedRoles(strategy));
    process.kill(service.pid, 'SIGKILL');
    expect(await leftOverOf(all, 3_000)).toEqual([]);
    expect(inGroupsOf(all)).toEqual([]);
  });

  it('killed with no run in flight leaves no process either', async () => {
    await service.run('/bench/fib?strategy=isolate-threads&n=5');
    all = descendantsOf(service.pid);
    process.kill(service.pid, 'SIGKILL');
    expect(await leftOverOf(all, 3_000)).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'told to end by %s ends with 0 and leaves nothing',
    async (signal) => {
      await service.run('/bench/fib?strategy=subprocess&n=5');
      await service.run('/bench/fib?strategy=isolate-threads&n=5');
      all = descendantsOf(service.pid);
      process.kill(service.pid, signal);
      // A second signal would end it at once.
      await expect.poll(() => isAlive(service.pid), { timeout: 20_000 }).toBe(false);
      expect(await service.stop()).toBe(0);
      expect(await leftOverOf(all, 3_000)).toEqual([]);
    },
  );

  it.each(['single', 'subprocess', 'isolate-threads'])(
    'told to end in the middle of %s ends it too: its client is answered, its spans go out',
    async (strategy) => {
      const { answered } = await runUnderWay(service, strategy);
      all = descendantsOf(service.pid);
      const before = receiver.spans.length;
      expect(await service.stop()).toBe(0);
      expect(await leftOverOf(all, 3_000)).toEqual([]);
      expect(inGroupsOf(all)).toEqual([]);
      expect(await answered).toBe(503);
      const spans = receiver.spans.slice(before);
      const tasks = spans.filter(({ name }) => name.startsWith('task fib'));
      expect(tasks.map(({ status }) => status.code)).toEqual(['UNSET', 'UNSET']);
      const states = tasks.map(({ attributes }) => attributes['bench.task.state']);
      expect(states).toEqual(['cancelled', 'cancelled']);
      const run = spans.find(({ name }) => name === `run fib ${strategy}`);
      expect(run?.attributes['bench.outcome']).toBe('shutting_down');
    },
  );
});

interface Underway {
  /** Makes its client go away. */
  readonly leave: () => void;
  /** The status that its client is answered with in the end; `null` when it is cut off. */
  readonly answered: Promise<number | null>;
}

/** Asks for a run that would take minutes; resolves when it is in its loop. */
async function runUnderWay(service: RunningService, strategy: string): Promise<Underway> {
  const before = mostCpuSeconds(service.pid);
  const client = request(`${service.url}${runaway}&strategy=${strategy}`, { agent: false }).end();
  const answered = new Promise<number | null>((resolve) => {
    client.on('error', () => resolve(null));
    client.on('response', (response) => {
      response.resume().on('error', () => resolve(null));
      response.on('end', () => resolve(response.statusCode ?? null));
    });
  });
  await once(client, 'finish');
  await expect
    .poll(() => mostCpuSeconds(service.pid) - before, { timeout: 60_000, interval: 100 })
    .toBeGreaterThanOrEqual(1);
  return { leave: () => client.destroy(), answered };
}

/** CPU time of the process below the service that took most of it. */
function mostCpuSeconds(servicePid: number): number {
  const rows = descendantsOf(servicePid).filter((row) => ['runner', 'worker'].includes(roleOf(row)));
  return Math.max(0, ...rows.map(({ pid }) => cpuSeconds(pid)));
}

/** `[[dd-]hh:]mm:ss`, on macOS with hundredths. */
function cpuSeconds(pid: number): number {
  const [seconds = 0, minutes = 0, hours = 0] = cpuTime(pid).trim().split(/[-:]/u).toReversed().map(Number);
  return seconds + 60 * (minutes + 60 * hours);
}

function cpuTime(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    // It ended meanwhile.
    return '';
  }
}

interface RunSummary {
  readonly id: string;
  readonly strategy: string;
  readonly outcome: string;
  readonly traceId: string;
}

/** The newest run, once it is one of that strategy. */
async function newestRun(service: RunningService, strategy: string): Promise<RunSummary> {
  const newest = async (): Promise<RunSummary | undefined> =>
    JSON.parse((await service.get('/runs')).text).runs[0];
  await expect.poll(async () => (await newest())?.strategy, { timeout: 20_000 }).toBe(strategy);
  const run = await newest();
  if (run === undefined) throw new Error('there is no run');
  return run;
}

/** Asks for `/healthz` again and again until it is told to end; gives every status. */
function keepAskingHealth(service: RunningService): { end(): Promise<readonly number[]> } {
  const ended = new AbortController();
  const asking = (async () => {
    const statuses: number[] = [];
    while (!ended.signal.aborted) statuses.push((await service.get('/healthz')).status);
    return statuses;
  })();
  return {
    end() {
      ended.abort();
      return asking;
    },
  };
}

function having(servicePid: number, role: string): readonly ProcessRow[] {
  return descendantsOf(servicePid).filter((row) => roleOf(row) === role);
}

function roleOf({ title }: ProcessRow): string {
  return /^fanout-bench (\w+)/u.exec(title)?.[1] ?? title;
}

function rolesBelow(servicePid: number): readonly string[] {
  return descendantsOf(servicePid).map(roleOf).toSorted();
}

function rolesOf(rows: readonly ProcessRow[]): ReadonlySet<string> {
  return new Set(rows.map(roleOf));
}

function expectedRoles(strategy: string): ReadonlySet<string> {
  const workers = strategy.endsWith('subprocess') ? ['worker'] : [];
  return new Set(['emulator', 'reaper', 'runner', ...workers]);
}

/** Whoever lives in a group that one of the runners led. */
function inGroupsOf(rows: readonly ProcessRow[]): readonly ProcessRow[] {
  const groups = new Set(rows.filter((row) => roleOf(row) === 'runner').map(({ group }) => group));
  return processTable().filter(({ group }) => groups.has(group));
}
