import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { childrenOf, isAlive, workersOf } from '../support/process-table.ts';
import { RunnerBench, targetAt } from '../support/run-on-runner.ts';

const names = strategies.map(({ declaration }) => declaration.name);
let bench: RunnerBench;
beforeEach(() => {
  bench = new RunnerBench(targetAt(null));
});
afterEach(() => bench.stop());

describe('a run that overruns its time', () => {
  it.each(names)(
    '%s: is stopped in a busy loop, leaves no worker, and the next run works',
    async (strategy) => {
      // A worker that takes long to start is given the time to get into its loop.
      const record = await bench.run('fib', { strategy, tasks: '3', n: '50', timeoutMs: '1500' });
      expect(record.outcome).toBe('run_timeout');
      expect(record.tasks.map((task) => task.state === 'failed' && task.error.code)).toEqual([
        'run_timeout',
        'run_timeout',
        'run_timeout',
      ]);
      expect(record.tasks[0]?.startedAtNs).not.toBeNull();
      expect(workersOf(record.runner.pid)).toEqual([]);
      const next = await bench.run('fib', { strategy, tasks: '2', n: '10' });
      expect(next.outcome).toBe('ok');
    },
  );

  it.each(['threads', 'subprocess', 'isolate-threads', 'isolate-subprocess'])(
    '%s: is stopped without harm to another run on the same runner',
    async (strategy) => {
      const other = bench.run('sleep', { strategy, tasks: '2', ms: '1500' });
      const cut = await bench.run('fib', { strategy, tasks: '2', n: '50', timeoutMs: '700' });
      expect(cut.outcome).toBe('run_timeout');
      const { outcome, runner } = await other;
      expect({ outcome, pid: runner.pid }).toEqual({ outcome: 'ok', pid: cut.runner.pid });
    },
  );

  it('single: is stopped by killing a runner that no other run is in', async () => {
    const other = bench.run('fib', { strategy: 'single', tasks: '100', n: '27' });
    const cut = await bench.run('fib', { strategy: 'single', tasks: '2', n: '50', timeoutMs: '200' });
    expect(cut.outcome).toBe('run_timeout');
    expect((await other).outcome).toBe('ok');
    expect(isAlive(cut.runner.pid)).toBe(false);
  });

  it('keeps what ended before', async () => {
    const record = await bench.run('sleep', { strategy: 'single', tasks: '10', ms: '120', timeoutMs: '500' });
    expect(record.outcome).toBe('run_timeout');
    const states = record.tasks.map(({ state }) => state);
    expect(states.filter((state) => state === 'ok').length).toBeGreaterThan(0);
    expect(states.at(-1)).toBe('failed');
  });
});

describe('a run whose client goes away', () => {
  it.each(names)('%s: is cancelled, and says so in every task that had not ended', async (strategy) => {
    const controller = new AbortController();
    const running = bench.run('fib', { strategy, tasks: '2', n: '50' }, controller.signal);
    await sleep(800);
    controller.abort();
    const record = await running;
    expect(record.outcome).toBe('cancelled');
    expect(record.tasks.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    expect(workersOf(record.runner.pid)).toEqual([]);
  });
});

describe('a runner that dies', () => {
  it.each(names)(
    '%s: its run is runner_crashed with what is known, and the next run gets another',
    async (strategy) => {
      const running = bench.run('sleep', { strategy, tasks: '2', ms: '20000' });
      await sleep(1000);
      const [pid = 0] = childrenOf(process.pid, 'fanout-bench runner');
      process.kill(pid, 'SIGKILL');
      const record = await running;
      expect(record.outcome).toBe('runner_crashed');
      expect(record.tasks.map((task) => task.state === 'failed' && task.error.code)).toEqual([
        'runner_crashed',
        'runner_crashed',
      ]);
      expect(workersOf(record.runner.pid)).toEqual([]);
      const next = await bench.run('sleep', { strategy, tasks: '1', ms: '1' });
      expect(next).toMatchObject({ outcome: 'ok' });
      expect(next.runner.pid).not.toBe(pid);
    },
  );
});

describe('a worker that dies', () => {
  it.each(['subprocess', 'isolate-subprocess'])(
    '%s: only its task fails, with worker_crashed',
    async (strategy) => {
      const running = bench.run('sleep', { strategy, tasks: '3', ms: '2500' });
      await sleep(1500);
      const [runner = 0] = childrenOf(process.pid, 'fanout-bench runner');
      const [worker = 0] = workersOf(runner);
      process.kill(worker, 'SIGKILL');
      const record = await running;
      expect(record.outcome).toBe('tasks_failed');
      const codes = record.tasks.map((task) => (task.state === 'failed' ? task.error.code : task.state));
      expect(codes.toSorted()).toEqual(['ok', 'ok', 'worker_crashed']);
    },
  );
});
