import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/runner/runners-alike.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';
import { planOf } from '../support/fixtures.ts';
import { distFolder, lameRuntime, ownRuntime } from '../support/run-on-runner.ts';

const blocking = planOf({ holdsMainThread: true });
const { signal: never } = new AbortController();
const options = { distFolder, environment: {}, runtimes: [ownRuntime], maxWorkers: 64 };

describe('runs that need a runner to themselves', () => {
  let supervisor: Supervisor;
  let leases: readonly Lease[];
  beforeEach(async () => {
    supervisor = new Supervisor(options);
    leases = await Promise.all([0, 1, 2, 3].map(() => supervisor.lease(blocking, never)));
  });
  afterEach(() => supervisor.stop());

  it('get one of four each; whoever comes then waits for the first that is given back', async () => {
    expect(new Set(leases.map(({ runner }) => runner.pid)).size).toBe(4);
    const [fifth, sixth] = [0, 1].map(() => supervisor.lease(blocking, never));
    leases[2]?.release();
    const lent = await fifth;
    expect(lent?.runner.pid).toBe(leases[2]?.runner.pid);
    lent?.release();
    expect((await sixth)?.runner.pid).toBe(leases[2]?.runner.pid);
  });

  it('that are given up while they wait leave their turn to the next', async () => {
    const leaving = new AbortController();
    const given = supervisor.lease(blocking, leaving.signal);
    const next = supervisor.lease(blocking, never);
    leaving.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    leases[0]?.release();
    expect((await next).runner.pid).toBe(leases[0]?.runner.pid);
  });

  it('get a new runner where the one given back is dead', async () => {
    const next = supervisor.lease(blocking, never);
    await leases[0]?.runner.kill();
    leases[0]?.release();
    const { runner } = await next;
    expect(runner.alive).toBe(true);
    expect(leases.map(({ runner: { pid } }) => pid)).not.toContain(runner.pid);
  });
});

describe('a runner that does not start', () => {
  it('takes no place from the runs after it', async () => {
    const supervisor = new Supervisor(options, () => Promise.reject(new Error('no process')));
    for (let run = 0; run < 5; run += 1) {
      await expect(supervisor.lease(blocking, never)).rejects.toThrow('no process');
    }
  });
});

describe('a run', () => {
  it('gets a runner of its runtime and kind, and readiness depends on the default one', async () => {
    const supervisor = new Supervisor(
      { ...options, runtimes: [ownRuntime, lameRuntime] },
      async ({ runtime, kind }) => {
        throw new Error(`${runtime.name} ${kind}`);
      },
    );
    for (const holdsMainThread of [false, true]) {
      for (const runtime of ['node26', 'node22']) {
        for (const runnerKind of ['plain', 'isolates'] as const) {
          const plan = planOf({ holdsMainThread, runtime, runnerKind });
          await expect(supervisor.lease(plan, never)).rejects.toThrow(`${runtime} ${runnerKind}`);
        }
      }
    }
    await expect(supervisor.standby()).rejects.toThrow('node26 plain');
  });
});
