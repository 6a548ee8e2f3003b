import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord, TaskRecord } from '../../src/record/record.ts';
import { strategies } from '../../src/strategies/registry.ts';
import { RunnerBench, targetAt } from '../support/run-on-runner.ts';

const names = strategies.map(({ declaration }) => declaration.name);
let bench: RunnerBench;
beforeAll(() => {
  bench = new RunnerBench(targetAt(null));
});
afterAll(() => bench.stop());

describe('every strategy', () => {
  it.each(names)('%s computes the right answer in every task', async (strategy) => {
    const record = await bench.run('fib', { strategy, tasks: '3', n: '20' });
    expect(record.outcome).toBe('ok');
    expect(record.tasks.map((task) => task.state === 'ok' && task.output.value)).toEqual([6765, 6765, 6765]);
  });

  it.each(names)(
    '%s records instants in the order in which they happen, inside the run',
    async (strategy) => {
      const record = await bench.run('sleep', { strategy, tasks: '3', ms: '5' });
      for (const task of record.tasks) {
        const instants = [
          record.fanOutStartedAtNs,
          task.queuedAtNs,
          task.admittedAtNs,
          task.startedAtNs,
          task.endedAtNs,
          task.returnedAtNs,
          record.endedAtNs,
        ].map(Number);
        expect(instants).toEqual(instants.toSorted((a, b) => a - b));
      }
    },
  );

  it.each(names)('%s really sleeps, each task as long as it was asked to', async (strategy) => {
    const record = await bench.run('sleep', { strategy, tasks: '2', ms: '30' });
    for (const runMs of record.tasks.map(runTimeMs)) expect(runMs).toBeGreaterThan(28);
  });
});

describe('where a task runs', () => {
  it.each(['single', 'async', 'isolate'])('%s runs on the main thread of its runner', async (strategy) => {
    const record = await bench.run('fib', { strategy, tasks: '4', n: '5' });
    expect(places(record)).toEqual(new Set([`${record.runner.pid}/0`]));
  });

  it.each([1, 2, 10])('threads gives every task a fresh thread, %i at a time', async (concurrency) => {
    const record = await bench.run('fib', {
      strategy: 'threads',
      tasks: '10',
      n: '5',
      concurrency: String(concurrency),
    });
    expect(new Set(record.tasks.map(({ threadId }) => threadId)).size).toBe(10);
    expect(record.tasks.every(({ pid, threadId }) => pid === record.runner.pid && threadId !== 0)).toBe(true);
  });

  it.each(['subprocess', 'isolate-subprocess'])('%s gives every task a fresh process', async (strategy) => {
    for (const concurrency of ['1', '3']) {
      const record = await bench.run('fib', { strategy, tasks: '6', n: '5', concurrency });
      const pids = new Set(record.tasks.map(({ pid }) => pid));
      expect(pids.size).toBe(6);
      expect(pids).not.toContain(record.runner.pid);
    }
  });

  it('isolate-threads names no thread, because isolated-vm does not tell it', async () => {
    const record = await bench.run('fib', { strategy: 'isolate-threads', tasks: '3', n: '5' });
    expect(places(record)).toEqual(new Set([`${record.runner.pid}/null`]));
  });

  it('isolates run in a runner of their own', async () => {
    const plain = await bench.run('fib', { strategy: 'threads', tasks: '1', n: '1' });
    const isolates = await bench.run('fib', { strategy: 'isolate-threads', tasks: '1', n: '1' });
    expect(isolates.runner.pid).not.toBe(plain.runner.pid);
  });
});

describe('how tasks overlap', () => {
  it.each(['single', 'isolate'])('%s never has two tasks running', async (strategy) => {
    const { tasks } = await bench.run('sleep', { strategy, tasks: '4', ms: '5' });
    expect(mostAtOnce(tasks)).toBe(1);
  });

  it.each(['async', 'threads', 'subprocess', 'isolate-threads', 'isolate-subprocess'])(
    '%s has all sleepers asleep at once, and no more than concurrency when that is less',
    async (strategy) => {
      // Long enough that the first still sleeps when the last cold process is up.
      const all = await bench.run('sleep', { strategy, tasks: '3', ms: '1500' });
      expect(mostAtOnce(all.tasks)).toBe(3);
      const two = await bench.run('sleep', { strategy, tasks: '4', ms: '20', concurrency: '2' });
      expect(mostAtOnce(two.tasks)).toBeLessThanOrEqual(2);
      const inOrder = (of: 'admittedAtNs' | 'endedAtNs'): number[] =>
        two.tasks.map((task) => Number(task[of])).toSorted((a, b) => a - b);
      const [admitted, ended] = [inOrder('admittedAtNs'), inOrder('endedAtNs')];
      // The first two at once, each of the others when one before it had ended.
      expect(admitted[1]).toBeLessThan(Number(ended[0]));
      expect(admitted[2]).toBeGreaterThanOrEqual(Number(ended[0]));
      expect(admitted[3]).toBeGreaterThanOrEqual(Number(ended[1]));
    },
  );

  it('CPU work in async runs one task after another, which is queue and not run', async () => {
    const { tasks } = await bench.run('fib', { strategy: 'async', tasks: '4', n: '25' });
    expect(mostAtOnce(tasks)).toBe(1);
    for (const [index, task] of tasks.entries()) {
      expect(Number(task.admittedAtNs)).toBeGreaterThanOrEqual(tasks[index - 1]?.endedAtNs ?? 0);
    }
  });

  it.each(['single', 'async', 'threads', 'subprocess', 'isolate', 'isolate-subprocess'])(
    '%s knows the CPU time of each task, however short: some, and no more than it ran',
    async (strategy) => {
      const { tasks } = await bench.run('fib', { strategy, tasks: '8', n: '24' });
      for (const { cpuNs, startedAtNs, endedAtNs } of tasks) {
        expect(cpuNs).toBeGreaterThan(0);
        // What the clocks are read for, before and after.
        expect(Number(cpuNs)).toBeLessThan(Number(endedAtNs) - Number(startedAtNs) + 0.5e6);
      }
    },
  );

  it('isolate-threads really uses several cores: CPU time passes faster than time', async () => {
    // One run that does is proof; others may find the cores taken by whatever else runs on the machine.
    await expect
      .poll(
        async () => {
          const { runner, startedAtNs, endedAtNs } = await bench.run('fib', {
            strategy: 'isolate-threads',
            tasks: '4',
            n: '34',
          });
          return Number(runner.cpuMs) / ((endedAtNs - startedAtNs) / 1e6);
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(1.2);
  });
});

describe('the record of an isolate run', () => {
  it('says that nothing was bridged and that the host observed the start', async () => {
    const { isolate } = await bench.run('fib', { strategy: 'isolate', tasks: '1', n: '1' });
    expect(isolate).toEqual({ bridged: false, resumesOn: null, startObservedBy: 'host' });
  });
});

function places({ tasks }: RunRecord): Set<string> {
  return new Set(tasks.map(({ pid, threadId }) => `${pid}/${threadId}`));
}

function runTimeMs({ startedAtNs, endedAtNs }: TaskRecord): number {
  return (Number(endedAtNs) - Number(startedAtNs)) / 1e6;
}

/** The largest number of tasks that were running at one instant. */
function mostAtOnce(tasks: readonly TaskRecord[]): number {
  return Math.max(
    ...tasks.map(
      ({ startedAtNs: at }) =>
        tasks.filter((task) => Number(task.startedAtNs) <= Number(at) && Number(task.endedAtNs) > Number(at))
          .length,
    ),
  );
}
