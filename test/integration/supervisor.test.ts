import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunnerProcess } from '../../src/runner/runner-process.ts';
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

describe('a runner that is being killed', () => {
  let supervisor: Supervisor;
  beforeEach(() => {
    supervisor = new Supervisor(options);
  });
  afterEach(() => supervisor.stop());

  it('is lent to nobody, though the kernel has not cleared it away yet', async () => {
    const { runner, release } = await supervisor.lease(blocking, never);
    release();
    const gone = runner.kill();
    expect(runner.alive).toBe(false);
    expect((await supervisor.lease(blocking, never)).runner.pid).not.toBe(runner.pid);
    await gone;
  });

  it('is followed by one that is started when it is gone', async () => {
    const { runner } = await supervisor.lease(planOf(), never);
    let gone = false;
    void runner.kill().then(() => (gone = true));
    const next = await supervisor.lease(planOf(), never);
    expect([gone, next.runner.alive, next.runner.pid === runner.pid]).toEqual([true, true, false]);
    expect(supervisor.restarts).toBe(1);
  });
});

describe('a run that is given up while its runner starts', () => {
  it('gets none, and leaves it to the next', async () => {
    const supervisor = new Supervisor(options);
    const leaving = new AbortController();
    const given = supervisor.lease(planOf({ workers: 2 }), leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    const next = await supervisor.lease(planOf({ workers: 64 }), never);
    expect([next.runner.alive, next.mostAlive]).toEqual([true, 64]);
    await supervisor.stop();
  });
});

describe('a runner that keeps more than it may', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });
  afterEach(async () => {
    vi.useRealTimers();
    await rm(folder, { recursive: true });
  });

  /** A process that says that it keeps five, and then does this. */
  async function startOne(script: string): Promise<RunnerProcess> {
    await writeFile(join(folder, 'runner.js'), `${saysThatItIsReady}\n${script}`);
    const runner = await RunnerProcess.start({
      ...options,
      distFolder: folder,
      kind: 'plain',
      runtime: ownRuntime,
    });
    await expect.poll(() => runner.kept).toBe(5);
    return runner;
  }

  it('is asked again when a run has laid others down meanwhile', async () => {
    const runner = await startOne(keepsMoreAtFirst);
    await runner.keepAtMost(2);
    expect(runner.kept).toBe(1);
    await runner.kill();
  });

  it('is killed when it does not answer', async () => {
    const runner = await startOne(`process.on('message', () => undefined);`);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = runner.keepAtMost(2);
    vi.advanceTimersByTime(4_999);
    expect(runner.alive).toBe(true);
    vi.advanceTimersByTime(1);
    expect(runner.alive).toBe(false);
    vi.useRealTimers();
    await waiting;
    await runner.kill();
  });

  it('is not waited for when it is gone', async () => {
    const runner = await startOne(`process.on('message', () => process.exit(1));`);
    await runner.keepAtMost(2);
    expect(runner.alive).toBe(false);
    await runner.kill();
  });
});

const saysThatItIsReady = `
  process.send([{ type: 'ready', version: process.versions.node }]);
  process.send([{ type: 'kept', kept: 5 }]);`;

/** Ends three of five, and then one, while others are laid down. */
const keepsMoreAtFirst = `
  const answers = [4, 3, 1];
  process.on('message', () => process.send([{ type: 'kept', kept: answers.shift() }]));`;

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
