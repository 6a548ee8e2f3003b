import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/bench/analysis.ts';
import type { FailedTask, OkTask, RunRecord } from '../../src/record/record.ts';
import { RunArchive } from '../../src/bench/archive.ts';
import { attemptOf, okTask, planOf, recordOf } from '../support/fixtures.ts';

describe('analysing a run', () => {
  const overlapping = recordOf({
    endedAtNs: 10e6,
    tasks: [
      okTask(0, { startedAtNs: 1e6, endedAtNs: 9e6, cpuNs: 6e6 }),
      okTask(1, { startedAtNs: 2e6, endedAtNs: 8e6, cpuNs: 6e6 }),
    ],
  });

  it('parallelism of waiting and I/O is the tasks’ run time over the duration', () => {
    expect(analyse(overlapping, 'io').parallelism).toBeCloseTo(1.4);
    expect(analyse(overlapping, 'wait').parallelism).toBeCloseTo(1.4);
  });

  it('parallelism of CPU work is its CPU time over the duration', () => {
    expect(analyse(overlapping, 'cpu').parallelism).toBeCloseTo(1.2);
  });

  it('parallelism of CPU work that tasks can’t be charged with is the run’s CPU time over the duration', () => {
    const record = recordOf({ endedAtNs: 10e6, tasks: [okTask(0, { cpuNs: null })] });
    expect(analyse(record, 'cpu').parallelism).toBeCloseTo(0.5);
  });

  it('the limit of I/O is the slowest answer as its server tells it', () => {
    const record = recordOf({
      endedAtNs: 10e6,
      tasks: [
        okTask(0, { endedAtNs: 9e6, attempts: [attemptOf({ serverMs: 4 })] }),
        okTask(1, { endedAtNs: 9e6, attempts: [attemptOf({ serverMs: 5 })] }),
      ],
    });
    expect(analyse(record, 'io')).toMatchObject({ limitMs: 5, limitedBy: 'slowest_answer', efficiency: 0.5 });
  });

  it('the limit is no longer than the task took, whatever its server tells', () => {
    // As of a cache, which repeats what the answer cost at first.
    const task = okTask(0, { endedAtNs: 9e6, attempts: [attemptOf({ serverMs: 3_000 })] });
    const record = recordOf({ endedAtNs: 10e6, tasks: [task] });
    expect(analyse(record, 'io')).toMatchObject({ limitMs: 7, limitedBy: 'slowest_answer', efficiency: 0.7 });
  });

  it('the limit is the slowest task where no server tells', () => {
    expect(analyse(overlapping, 'io')).toMatchObject({
      limitMs: 8,
      limitedBy: 'slowest_task',
      efficiency: 0.8,
    });
  });

  it.each(['race', 'first-valid', 'hedged'] as const)(
    'the limit of %s is the answer of the task that won, whatever the others announced',
    (join) => {
      const loser = { ...factsOf(okTask(1, { attempts: [announced] })), state: 'cancelled' as const };
      const record = recordOf({
        plan: planOf({ join }),
        endedAtNs: 10e6,
        tasks: [loser, okTask(0, { attempts: [attemptOf({ serverMs: 2 })] })],
      });
      expect(analyse(record, 'io')).toMatchObject({
        limitMs: 2,
        limitedBy: 'slowest_answer',
        efficiency: 0.2,
      });
    },
  );

  it('the limit of a race where no server tells is the task that won', () => {
    const loser = { ...factsOf(okTask(1, { startedAtNs: 0, endedAtNs: 10e6 })), state: 'cancelled' as const };
    const won = okTask(0, { startedAtNs: 2e6, endedAtNs: 9e6 });
    const record = recordOf({ plan: planOf({ join: 'race' }), endedAtNs: 10e6, tasks: [won, loser] });
    expect(analyse(record, 'wait')).toMatchObject({ limitMs: 7, limitedBy: 'slowest_task', efficiency: 0.7 });
  });

  it('an answer that was broken off counts for nothing, nor does one that was tried again', () => {
    const record = recordOf({
      endedAtNs: 10e6,
      tasks: [
        failedTask(0, { attempts: [announced] }),
        okTask(1, { attempts: [announced, attemptOf({ serverMs: 3 })] }),
      ],
    });
    expect(analyse(record, 'io')).toMatchObject({ limitMs: 3, efficiency: 0.3 });
  });

  it('the limit of CPU work is what succeeded on all cores, or one task', () => {
    const calibration = { taskMs: 4, cores: 2 };
    const all = recordOf({ endedAtNs: 10e6, calibration });
    expect(analyse(all, 'cpu')).toMatchObject({ limitMs: 6, limitedBy: 'cores', efficiency: 0.6 });
    const timedOut = recordOf({
      endedAtNs: 5e6,
      calibration,
      tasks: [okTask(0), failedTask(1), failedTask(2)],
    });
    expect(analyse(timedOut, 'cpu')).toMatchObject({
      limitMs: 4,
      limitedBy: 'slowest_task',
      efficiency: 0.8,
    });
  });

  it('the limit of CPU work is not known from one run', () => {
    expect(analyse(overlapping, 'cpu')).toMatchObject({
      limitMs: null,
      limitedBy: 'unknown',
      efficiency: null,
    });
  });

  it('a run in which nothing succeeded has no limit', () => {
    const record = recordOf({
      calibration: { taskMs: 4, cores: 2 },
      tasks: [failedTask(0, { attempts: [announced] })],
    });
    const none = { limitMs: null, limitedBy: 'unknown', efficiency: null };
    expect(analyse(record, 'io')).toMatchObject(none);
    expect(analyse(record, 'cpu')).toMatchObject(none);
  });

  it('a run in which nothing started has nothing to analyse', () => {
    const failed = failedTask(0, { startedAtNs: null, endedAtNs: null, cpuNs: null });
    const nothing = { parallelism: null, limitMs: null, limitedBy: 'unknown', efficiency: null };
    expect(analyse(recordOf({ tasks: [failed] }), 'io')).toMatchObject(nothing);
    const runner = { ...recordOf().runner, cpuMs: null };
    expect(analyse(recordOf({ tasks: [failed], runner }), 'cpu')).toMatchObject(nothing);
  });
});

/** Of a stream, whose head says as it begins how long all of it will take. */
const announced = attemptOf({ serverMs: 960, endedAtNs: null });

function factsOf({ state: _, output: __, ...facts }: OkTask): Omit<OkTask, 'state' | 'output'> {
  return facts;
}

function failedTask(index: number, changes: Partial<FailedTask> = {}): FailedTask {
  const error = { code: 'run_timeout', message: '', upstreamCode: null } as const;
  return { ...factsOf(okTask(index)), state: 'failed', error, ...changes };
}

describe('the archive of runs', () => {
  it('gives back what was put in, newest first, and forgets the oldest', async () => {
    const archive = new RunArchive(2);
    for (const id of ['a', 'b', 'c']) await archive.add(recordOf({ id }));
    expect(archive.list().map(({ id }) => id)).toEqual(['c', 'b']);
    expect(archive.get('c')).toEqual(recordOf({ id: 'c' }));
    expect(archive.get('a')).toBeNull();
  });

  it('keeps fewer runs when they are large', async () => {
    const byteLength = Buffer.byteLength(JSON.stringify(recordOf({ id: 'a' })));
    const archive = new RunArchive(10, byteLength * 2.5);
    for (const id of ['a', 'b', 'c']) await archive.add(recordOf({ id }));
    expect(archive.list().map(({ id }) => id)).toEqual(['c', 'b']);
  });

  it('compresses a long one, and gives it back as it was', async () => {
    const json = JSON.stringify(long('a'));
    expect(json.length).toBeGreaterThan(16 * 1024);
    const archive = new RunArchive(10, zstdCompressSync(json).byteLength * 2.5);
    for (const id of ['a', 'b', 'c']) await archive.add(long(id));
    expect(archive.list().map(({ id }) => id)).toEqual(['c', 'b']);
    expect(archive.get('c')).toEqual(long('c'));
  });

  it('has a run at once, also one that takes time to be made smaller', async () => {
    const archive = new RunArchive(10);
    const adding = archive.add(long('a'));
    expect(archive.get('a')).toEqual(long('a'));
    await adding;
    expect(archive.get('a')).toEqual(long('a'));
  });

  it('forgets a run also while it is made smaller', async () => {
    const archive = new RunArchive(1);
    const adding = archive.add(long('a'));
    await archive.add(recordOf({ id: 'b' }));
    await adding;
    expect(archive.list().map(({ id }) => id)).toEqual(['b']);
  });

  it('keeps none when it may keep none', async () => {
    const archive = new RunArchive(0);
    await archive.add(recordOf({ id: 'a' }));
    expect(archive.list()).toEqual([]);
  });
});

function long(id: string): RunRecord {
  return recordOf({ id, tasks: Array.from({ length: 200 }, () => recordOf().tasks).flat() });
}
