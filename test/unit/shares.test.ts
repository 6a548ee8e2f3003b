import { describe, expect, it } from 'vitest';
import { array, assert, boolean, constantFrom, integer, option, property } from 'fast-check';
import { sharesOf, type Shares } from '../../src/bench/shares.ts';
import type { RunRecord, TaskRecord } from '../../src/record/record.ts';
import { okTask, planOf, recordOf } from '../support/fixtures.ts';

const none: Shares = { signing: 0, queue: 0, prepare: 0, run: 0, contention: 0, handBack: 0, other: 0 };

/** A task that ran, in milliseconds since the run's origin. */
function ran(
  index: number,
  [queued, admitted, started, ended, returned]: readonly [number, number, number, number, number],
): TaskRecord {
  return okTask(index, {
    queuedAtNs: queued * 1e6,
    admittedAtNs: admitted * 1e6,
    startedAtNs: started * 1e6,
    endedAtNs: ended * 1e6,
    returnedAtNs: returned * 1e6,
  });
}

/** A run from 0 to its end, in milliseconds. */
function run(tasks: readonly TaskRecord[], endMs: number, changes: Partial<RunRecord> = {}): RunRecord {
  return recordOf({
    tasks,
    startedAtNs: 0,
    fanOutStartedAtNs: 0,
    signing: null,
    endedAtNs: endMs * 1e6,
    ...changes,
  });
}

/** With so many tasks at once. */
function slots(concurrency: number): Partial<RunRecord> {
  return { plan: planOf({ concurrency }) };
}

describe('where the time of a run went', () => {
  it('is the parts of its one task, and what is around it', () => {
    const record = run([ran(0, [5, 6, 8, 18, 19])], 20, {
      signing: { fromNs: 0, toNs: 4e6 },
      fanOutStartedAtNs: 5e6,
    });
    expect(sharesOf(record)).toEqual({
      ...none,
      signing: 4,
      // Between signing and fan-out, and after the task had returned.
      other: 2,
      queue: 1,
      prepare: 2,
      run: 10,
      handBack: 1,
    });
  });

  it('follows the task that ended last, whichever was first', () => {
    const record = run([ran(0, [0, 0, 1, 30, 30]), ran(1, [0, 0, 5, 20, 20])], 30);
    expect(sharesOf(record)).toEqual({ ...none, prepare: 1, run: 29 });
  });

  it('goes on through the task whose end freed the slot, and not through others', () => {
    const record = run(
      [
        ran(0, [0, 0, 0, 10, 10]),
        ran(1, [0, 0, 0, 14, 14]),
        ran(2, [0, 10, 12, 22, 22]),
        ran(3, [0, 14, 14, 20, 20]),
      ],
      22,
      slots(2),
    );
    expect(sharesOf(record)).toEqual({ ...none, run: 20, prepare: 2 });
  });

  it('counts waiting that no task accounts for as queue', () => {
    const record = run([ran(0, [0, 0, 0, 10, 10]), ran(1, [0, 13, 13, 20, 20])], 20, slots(1));
    expect(sharesOf(record)).toEqual({ ...none, run: 17, queue: 3 });
  });

  it('goes through the task that held the main thread, though that returned only when all had run', () => {
    const tasks = [ran(0, [0, 0, 1, 10, 30]), ran(1, [0, 11, 12, 20, 31]), ran(2, [0, 20, 20, 30, 32])];
    const plan = { concurrency: 3, holdsMainThread: true };
    expect(sharesOf(run(tasks, 32, { plan: planOf(plan) }))).toEqual({
      ...none,
      prepare: 2,
      run: 27,
      // Of the last one, and where the others were not yet handed back when the next began.
      handBack: 3,
    });
  });

  it('blames no other task for the wait of one that found a slot free', () => {
    const tasks = [ran(0, [0, 0, 1, 4, 4]), ran(1, [0, 5, 6, 9, 9])];
    expect(sharesOf(run(tasks, 9, slots(2)))).toEqual({ ...none, queue: 5, prepare: 1, run: 3 });
  });

  it('tells what a task took longer than alone, where that is known', () => {
    const tasks = [ran(0, [0, 0, 0, 25, 25])];
    expect(sharesOf(run(tasks, 25, { calibration: { taskMs: 10, cores: 2 } }))).toEqual({
      ...none,
      run: 10,
      contention: 15,
    });
    expect(sharesOf(run(tasks, 25))).toEqual({ ...none, run: 25 });
  });

  it('ends a race with the task that won it', () => {
    const loser: TaskRecord = { ...ran(0, [0, 0, 0, 12, 12]), state: 'failed', error: failure };
    const record = run([loser, ran(1, [0, 0, 2, 10, 10])], 12, { plan: planOf({ join: 'race' }) });
    expect(sharesOf(record)).toEqual({ ...none, prepare: 2, run: 8, other: 2 });
  });

  it('is all other where no task returned', () => {
    const record = run([], 7, { fanOutStartedAtNs: null });
    expect(sharesOf(record)).toEqual({ ...none, other: 7 });
  });

  it('adds up to the duration, whatever the record says', () => {
    const instants = array(integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 5 }).map((five) =>
      five.toSorted((a, b) => a - b),
    );
    assert(
      property(
        array(instants, { maxLength: 20 }),
        integer({ min: 0, max: 120 }),
        option(integer({ min: 0, max: 50 })),
        integer({ min: 1, max: 20 }),
        boolean(),
        constantFrom('all' as const, 'race' as const),
        (all, endMs, taskMs, concurrency, holdsMainThread, join) => {
          const tasks = all.map(([a = 0, b = 0, c = 0, d = 0, e = 0], index) => ran(index, [a, b, c, d, e]));
          const calibration = taskMs === null ? null : { taskMs, cores: 2 };
          const plan = planOf({ concurrency, holdsMainThread, join });
          const shares = Object.values(sharesOf(run(tasks, endMs, { calibration, plan })));
          expect(shares.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(endMs, 6);
          expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it('is found for ten thousand tasks, one after another, without going over them again and again', () => {
    const tasks = Array.from({ length: 10_000 }, (_, index) =>
      ran(index, [0, index, index, index + 1, index + 1]),
    );
    expect(sharesOf(run(tasks, 10_000, slots(1)))).toEqual({ ...none, run: 10_000 });
  });
});

const failure = { code: 'upstream_error', message: 'no', upstreamCode: null } as const;
