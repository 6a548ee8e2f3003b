import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunRecord } from '../../src/record/record.ts';
import { isAlive, workersOf, workerThreadsOf } from '../support/process-table.ts';
import { RunnerBench, targetAt } from '../support/run-on-runner.ts';
import {
  connectsOf,
  placesOf,
  reusedOf,
  WarmBench,
  warmCells,
  type WarmCell,
} from '../support/warm-bench.ts';

const [all, none] = [
  [true, true, true],
  [false, false, false],
];
const onWorkers = (cell: WarmCell): boolean =>
  cell.runsOn === 'worker-thread' || cell.runsOn === 'child-process';
const titled = warmCells.map((cell) => ({ ...cell, title: `${cell.workload} ${cell.strategy}` }));
const sleepers = titled.filter(({ workload }) => workload === 'sleep');
const senders = titled.filter(({ sends }) => sends);

let bench: WarmBench;
let slow: WarmBench;
beforeAll(async () => {
  bench = await WarmBench.start(5);
  slow = await WarmBench.start(200);
});
afterAll(async () => {
  await bench.stop();
  await slow.stop();
});

describe('from run to run', () => {
  it('every strategy is among those that can be warm', () => {
    expect(titled).toHaveLength(5 + 5 + 11);
  });

  it.each(titled)('$title: warm reuses what warm left, and cold nothing of anyone', async (cell) => {
    const records: RunRecord[] = [];
    for (const pool of ['cold', 'warm', 'warm', 'cold', 'warm'] as const) {
      records.push(await bench.run(cell, pool));
    }
    expect(records.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(records.map(reusedOf)).toEqual([none, none, all, none, all]);
    const [before = [], first = [], second, between = [], third] = records.map(placesOf);
    expect([second, third]).toEqual([first, first]);
    // The main thread is one place, whoever made what it uses; workers have one each.
    expect(first).toHaveLength(onWorkers(cell) ? 3 : 1);
    const shared = [...before, ...between].filter((place) => first.includes(place));
    expect(shared).toHaveLength(onWorkers(cell) ? 0 : 2);
    // Fewer where a task began only when another had its answer.
    const most = cell.sends ? (records[0]?.plan.concurrency ?? 0) : 0;
    const least = Math.min(1, most);
    const [cold = 0, made = 0, more = 0, coldAgain = 0, none2 = 0] = records.map(connectsOf);
    for (const connects of [cold, made, coldAgain]) {
      expect([connects >= least, connects <= most]).toEqual([true, true]);
    }
    expect(made + more + none2).toBeLessThanOrEqual(most);
  });
});

describe('what is kept', () => {
  it.each(senders.filter(({ strategy }) => !/single|isolate$/u.test(strategy)))(
    '$title: a client made for 3 sockets is not used for 2',
    async (cell) => {
      await bench.run(cell, 'warm');
      const two = await bench.run(cell, 'warm', { tasks: '4', concurrency: '2' });
      expect(reusedOf(two)).toEqual([false, false, false, false]);
      expect(reusedOf(await bench.run(cell, 'warm'))).toEqual(all);
    },
  );

  it.each(['threads', 'subprocess', 'isolate-threads', 'isolate-subprocess'])(
    'fib %s: what has no sockets serves any concurrency, and is more when more are in use at once',
    async (strategy) => {
      const cell = { workload: 'fib', strategy, light: { n: '12' } };
      await bench.run(cell, 'warm');
      const one = await bench.run(cell, 'warm', { concurrency: '1' });
      expect([reusedOf(one), placesOf(one).length]).toEqual([all, 1]);
      const five = await bench.run(cell, 'warm', { tasks: '5' });
      expect(reusedOf(five).filter((reused) => reused === true)).toHaveLength(3);
    },
  );

  it.each(['threads', 'subprocess', 'isolate-subprocess'])(
    '%s: serves one task at a time, also when runs are at once',
    async (strategy) => {
      const cell = { workload: 'sleep', strategy, light: { ms: '50' } };
      const records = await Promise.all([1, 2, 3].map(async () => bench.run(cell, 'warm')));
      expect(records.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
      const places = records.flatMap(({ tasks }) => tasks.map(({ pid, threadId }) => `${pid}/${threadId}`));
      expect(new Set(places).size).toBe(9);
    },
  );

  it('is not what died meanwhile: the next run starts another', async () => {
    const cell = { workload: 'fib', strategy: 'subprocess', light: { n: '5' } };
    await bench.run(cell, 'warm', { tasks: '5' });
    const { tasks } = await bench.run(cell, 'warm', { tasks: '5' });
    const victim = tasks[0]?.pid ?? 0;
    process.kill(victim, 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(victim)).toBe(false));
    await sleep(50);
    const next = await bench.run(cell, 'warm', { tasks: '5' });
    expect(next.outcome).toBe('ok');
    expect(next.tasks.map(({ pid }) => pid)).not.toContain(victim);
    expect(reusedOf(next).filter((reused) => reused === false)).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('holds no credential where requests are signed before', async () => {
    expect(await environmentOf('sdk-subprocess')).toContain('AWS_SECRET_ACCESS_KEY');
    expect(await environmentOf('presigned-subprocess')).not.toContain('AWS_');
    expect(await environmentOf('presigned-isolate-subprocess')).not.toContain('AWS_');
  });
});

describe('with MAX_WORKERS=4, what lies idle makes room for what is needed', () => {
  let small: RunnerBench;
  /** Those in which something may lie idle. */
  const runners = new Set<number | null>();
  beforeAll(() => {
    small = new RunnerBench(targetAt(null), {}, { maxWorkers: 4 });
  });
  afterAll(() => small.stop());

  async function run(
    strategy: string,
    tasks: string,
    given: Readonly<Record<string, string>> = { pool: 'warm' },
  ): Promise<RunRecord> {
    const record = await small.run('sleep', { strategy, tasks, ms: '1', ...given });
    runners.add(record.runner.pid);
    return record;
  }
  /** All worker threads and processes that there are at this instant. */
  const alive = (): number =>
    [...runners].reduce<number>((sum, pid) => sum + workersOf(pid).length + workerThreadsOf(pid), 0);

  it.runIf(process.platform === 'linux').each([
    ['threads', 'subprocess', 3],
    ['subprocess', 'isolate-threads', 3],
    ['isolate-threads', 'isolate-subprocess', 3],
    ['isolate-subprocess', 'threads', 3],
    ['subprocess', 'isolate', 1],
  ])('%s, then %s: of both there are never more', async (first, second, tasks) => {
    await run(first, '4');
    expect(reusedIn(await run(first, '4'))).toBe(4);
    expect(alive()).toBeLessThanOrEqual(4);
    let most = 0;
    const counting = setInterval(() => (most = Math.max(most, alive())), 20);
    await run(second, String(tasks), { pool: 'warm', ms: '400' });
    clearInterval(counting);
    expect(most).toBeLessThanOrEqual(4);
    // What had to go for the second is gone, and no more than that.
    expect(reusedIn(await run(first, '4'))).toBe(4 - tasks);
  });

  it('cold runs too are given room', async () => {
    await run('threads', '4');
    await run('subprocess', '4', { pool: 'cold' });
    expect(reusedIn(await run('threads', '4'))).toBe(0);
  });

  it('runs at once leave no more than that', async () => {
    await Promise.all([run('threads', '2'), run('isolate-subprocess', '1'), run('subprocess', '1')]);
    expect(alive()).toBeLessThanOrEqual(4);
    expect(reusedIn(await run('threads', '2'))).toBe(2);
  });
});

describe('after a warm run that was cut off', () => {
  it.each(sleepers)('$title: a race ends with its first, and the losers are not used again', async (cell) => {
    const race = await bench.run(cell, 'warm', { join: 'race', ms: '150' });
    const next = await bench.run(cell, 'warm');
    expect([race.outcome, next.outcome]).toEqual(['ok', 'ok']);
    expect(race.tasks.filter(({ state }) => state === 'ok')).toHaveLength(1);
    expect(sharedPlaces(cell, cancelledIn(race), next)).toEqual([]);
  });

  it.each(sleepers)('$title: what overran is ended, and the next run works', async (cell) => {
    const cut = await bench.run(cell, 'warm', { ms: '30000', timeoutMs: '1200' });
    const next = await bench.run(cell, 'warm');
    expect([cut.outcome, next.outcome]).toEqual(['run_timeout', 'ok']);
    expect(sharedPlaces(cell, cut, next)).toEqual([]);
    expect(reusedOf(await bench.run(cell, 'warm'))).toEqual(all);
  });

  it.each(senders)('$title: a race and a time limit leave clients that work', async (cell) => {
    const race = await slow.run(cell, 'warm', { join: 'race' });
    const cut = await slow.run(cell, 'warm', { timeoutMs: '100' });
    const next = await slow.run(cell, 'warm');
    expect([race.outcome, cut.outcome, next.outcome]).toEqual(['ok', 'run_timeout', 'ok']);
    const last = await slow.run(cell, 'warm');
    expect([last.outcome, reusedOf(last), connectsOf(last)]).toEqual(['ok', all, 0]);
  });

  it('by its client, nothing of it is left but what is idle', async () => {
    const cell = { workload: 'fib', strategy: 'subprocess', light: { n: '50' } };
    const controller = new AbortController();
    const running = bench.run(cell, 'warm', {}, controller.signal);
    await sleep(500);
    controller.abort();
    const cut = await running;
    expect(cut.outcome).toBe('cancelled');
    const left = workersOf(cut.runner.pid);
    expect(cut.tasks.filter(({ pid }) => pid !== null && left.includes(pid))).toEqual([]);
  });
});

function reusedIn(record: RunRecord): number {
  return reusedOf(record).filter((reused) => reused === true).length;
}

/** The environment of a process that has served two warm runs. */
async function environmentOf(strategy: string): Promise<string> {
  const cell = { workload: 's3', strategy, light: {} };
  await bench.run(cell, 'warm');
  const { tasks } = await bench.run(cell, 'warm');
  return readFile(`/proc/${tasks[0]?.pid}/environ`, 'latin1');
}

/** The workers that two runs have in common. */
function sharedPlaces(cell: WarmCell, one: RunRecord, other: RunRecord): readonly string[] {
  const places = placesOf(other);
  return onWorkers(cell) ? placesOf(one).filter((place) => places.includes(place)) : [];
}

function cancelledIn(record: RunRecord): RunRecord {
  return { ...record, tasks: record.tasks.filter(({ state }) => state === 'cancelled') };
}
