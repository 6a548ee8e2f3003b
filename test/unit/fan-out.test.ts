import { describe, expect, it, vi } from 'vitest';
import type { Execution, Executor, TaskHandle } from '../../src/execution/executor.ts';
import type { TaskRecord } from '../../src/record/record.ts';
import { fanOut, type FanOut } from '../../src/runner/fan-out.ts';
import type { JoinRule } from '../../src/runner/join-rule.ts';

const microsecond = 1_000;

describe('the fan-out engine', () => {
  it('never has more tasks in hand than concurrency allows, and frees a slot only when its task is dead', async () => {
    const bench = new FakeRun({ tasks: 5, concurrency: 2 });
    const done = fanOut(bench.options);
    expect(bench.inHand()).toEqual([0, 1]);
    bench.return(0);
    await settled();
    expect(bench.inHand()).toEqual([0, 1]);
    bench.die(0);
    await settled();
    expect(bench.inHand()).toEqual([1, 2]);
    bench.finishAll();
    await done;
    expect(bench.ended.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it('records the wait for a slot as queue, from the start of the fan-out to the admission', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 1 });
    const done = fanOut(bench.options);
    bench.now = 700 * microsecond;
    bench.return(0);
    bench.die(0);
    await settled();
    bench.now = 900 * microsecond;
    bench.return(1);
    bench.die(1);
    await done;
    expect(bench.ended.map(({ queuedAtNs, admittedAtNs }) => [queuedAtNs, admittedAtNs])).toEqual([
      [0, 0],
      [0, 700 * microsecond],
    ]);
  });

  it('ends at the last return, not at the last death', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 2 });
    const done = fanOut(bench.options);
    bench.now = 10;
    bench.return(1);
    bench.now = 25;
    bench.return(0);
    bench.now = 90;
    bench.die(0);
    bench.die(1);
    expect(await done).toEqual({ endedAtNs: 25, processesCpuMs: 0 });
  });

  it('keeps a failed result apart from an ok one', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 2 });
    const done = fanOut(bench.options);
    bench.return(0, {
      result: {
        state: 'failed',
        error: { code: 'upstream_error', message: 'no', upstreamCode: 'NoSuchKey' },
        retryable: false,
      },
    });
    bench.return(1);
    bench.finishAll();
    await done;
    expect(bench.ended.map(({ state }) => state)).toEqual(['failed', 'ok']);
  });

  it('records a task whose worker died as worker_crashed, with what was known of its start', async () => {
    const bench = new FakeRun({ tasks: 1, concurrency: 1 });
    const done = fanOut(bench.options);
    bench.handle(0).started({ startedAtNs: 5, pid: 7, threadId: 3, attempts: null });
    bench.now = 40;
    bench.handle(0).crashed('it died');
    bench.die(0);
    await done;
    expect(bench.ended).toMatchObject([
      {
        state: 'failed',
        pid: 7,
        threadId: 3,
        startedAtNs: 5,
        endedAtNs: 40,
        returnedAtNs: 40,
        error: { code: 'worker_crashed', message: 'it died' },
      },
    ]);
  });

  it.each([
    ['run_timeout', 'failed'],
    ['cancelled', 'cancelled'],
  ] as const)('cut off by %s, what has returned stands and all else is %s', async (reason, state) => {
    const bench = new FakeRun({ tasks: 4, concurrency: 3 });
    const done = fanOut(bench.options);
    bench.now = 5;
    bench.return(0);
    bench.handle(1).started({ startedAtNs: 6, pid: 1, threadId: 0, attempts: null });
    bench.now = 50;
    bench.cut(reason);
    bench.return(1);
    bench.finishAll();
    expect((await done).endedAtNs).toBe(50);
    const byIndex = bench.ended.toSorted((a, b) => a.index - b.index);
    expect(byIndex.map((task) => [task.state, task.startedAtNs, task.endedAtNs])).toEqual([
      ['ok', 0, 5],
      [state, 6, 50],
      [state, null, null],
      [state, null, null],
    ]);
  });

  it('starts nothing more after it was cut off', async () => {
    const bench = new FakeRun({ tasks: 3, concurrency: 1 });
    const done = fanOut(bench.options);
    bench.cut('cancelled');
    bench.die(0);
    await done;
    expect(bench.executed).toEqual([0]);
  });

  it('adds up the CPU time of processes that were made for tasks', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 2 });
    const done = fanOut(bench.options);
    bench.return(0, { processCpuMs: 30 });
    bench.return(1, { processCpuMs: 12.5 });
    bench.die(0);
    bench.die(1);
    expect((await done).processesCpuMs).toBe(42.5);
  });
});

describe('a race', () => {
  it('ends at the first success: the others are cancelled as they stand, and stopped', async () => {
    const bench = new FakeRun({ tasks: 4, concurrency: 3, join: raceJoin });
    const done = fanOut(bench.options);
    bench.handle(0).started({ startedAtNs: 2, pid: 1, threadId: 0, attempts: null });
    const { signal } = bench.handle(0);
    bench.now = 40;
    bench.return(1);
    bench.now = 90;
    expect(signal.aborted).toBe(true);
    for (const index of [0, 1, 2]) bench.die(index);
    expect((await done).endedAtNs).toBe(40);
    const byIndex = bench.ended.toSorted((a, b) => a.index - b.index);
    expect(byIndex.map(({ state, startedAtNs, endedAtNs }) => [state, startedAtNs, endedAtNs])).toEqual([
      ['cancelled', 2, 40],
      ['ok', 0, 40],
      ['cancelled', null, null],
      ['cancelled', null, null],
    ]);
    expect(bench.executed).toEqual([0, 1, 2]);
  });

  it('is not won by a failure', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 2, join: raceJoin });
    const done = fanOut(bench.options);
    bench.return(0, failure);
    expect(bench.ended.map(({ state }) => state)).toEqual(['failed']);
    bench.now = 7;
    bench.return(1);
    bench.die(0);
    bench.die(1);
    expect((await done).endedAtNs).toBe(7);
    expect(bench.ended.map(({ state }) => state)).toEqual(['failed', 'ok']);
  });

  it('is not won by an answer that is judged invalid', async () => {
    const error = { code: 'invalid_answer', message: 'no', upstreamCode: null } as const;
    const judge: JoinRule['judge'] = (result) =>
      result.state === 'ok' && result.output.value === 1
        ? { state: 'failed', error, retryable: false }
        : result;
    const bench = new FakeRun({ tasks: 2, concurrency: 2, join: { ...raceJoin, judge } });
    const done = fanOut(bench.options);
    bench.return(0);
    bench.return(1, { result: { state: 'ok', output: { value: 2, body: null, text: null, llm: null } } });
    bench.die(0);
    bench.die(1);
    await done;
    expect(bench.ended.map(({ index, state }) => [index, state])).toEqual([
      [0, 'failed'],
      [1, 'ok'],
    ]);
  });
});

describe('a hedged run', () => {
  const hedged: JoinRule = { ...raceJoin, hedgeAfterMs: 50 };

  it('starts one task, and another each time none has answered for so long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const bench = new FakeRun({ tasks: 4, concurrency: 4, join: hedged });
    const done = fanOut(bench.options);
    expect(bench.executed).toEqual([0]);
    await vi.advanceTimersByTimeAsync(49);
    expect(bench.executed).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.executed).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(50);
    expect(bench.executed).toEqual([0, 1, 2]);
    bench.return(1);
    for (const index of [0, 1, 2]) bench.die(index);
    await done;
    vi.useRealTimers();
    expect(bench.ended.map(({ index, state }) => [index, state])).toEqual([
      [1, 'ok'],
      [0, 'cancelled'],
      [2, 'cancelled'],
    ]);
  });

  it('starts the next task at once when one fails', async () => {
    const bench = new FakeRun({ tasks: 2, concurrency: 2, join: { ...hedged, hedgeAfterMs: 60_000 } });
    const done = fanOut(bench.options);
    bench.return(0, failure);
    bench.die(0);
    await settled();
    expect(bench.executed).toEqual([0, 1]);
    bench.return(1);
    bench.die(1);
    await done;
  });

  it('has no more tasks in hand than concurrency allows', async () => {
    const bench = new FakeRun({ tasks: 3, concurrency: 1, join: { ...hedged, hedgeAfterMs: 1 } });
    const done = fanOut(bench.options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bench.executed).toEqual([0]);
    bench.return(0);
    bench.die(0);
    await done;
    expect(bench.executed).toEqual([0]);
  });
});

const failure: Partial<Execution> = {
  result: {
    state: 'failed',
    error: { code: 'upstream_error', message: 'no', upstreamCode: 'NoSuchKey' },
    retryable: false,
  },
};

const allJoin: JoinRule = { judge: (result) => result, endsWithFirst: false, hedgeAfterMs: null };
const raceJoin: JoinRule = { ...allJoin, endsWithFirst: true };

interface FakeRunOptions {
  readonly tasks: number;
  readonly concurrency: number;
  readonly join?: JoinRule;
}

/** A run under a clock and an executor that do only what a test says. */
class FakeRun {
  now = 0;
  readonly ended: TaskRecord[] = [];
  readonly executed: number[] = [];
  readonly options: FanOut;
  readonly #hands = new Map<number, { handle: TaskHandle; die(): void }>();
  readonly #controller = new AbortController();

  constructor({ tasks, concurrency, join = allJoin }: FakeRunOptions) {
    const executor: Executor = {
      execute: (handle) =>
        new Promise((resolve) => {
          this.executed.push(handle.index);
          this.#hands.set(handle.index, { handle, die: resolve });
        }),
      close: async () => undefined,
    };
    this.options = {
      inputs: Array.from({ length: tasks }, () => null),
      concurrency,
      executor,
      clock: () => this.now,
      startedAtNs: 0,
      traceparents: null,
      labels: [],
      join,
      signal: this.#controller.signal,
      reporter: { started: () => undefined, ended: (task) => this.ended.push(task) },
    };
  }

  inHand(): number[] {
    return [...this.#hands.keys()];
  }

  handle(index: number): TaskHandle {
    const hand = this.#hands.get(index);
    if (hand === undefined) throw new Error(`task ${index} is not in hand`);
    return hand.handle;
  }

  return(index: number, changes: Partial<Execution> = {}): void {
    this.handle(index).returned({
      pid: 1,
      threadId: 0,
      startedAtNs: 0,
      endedAtNs: this.now,
      cpuNs: null,
      reused: false,
      attempts: [],
      result: { state: 'ok', output: { value: 1, body: null, text: null, llm: null } },
      processCpuMs: null,
      ...changes,
    });
  }

  die(index: number): void {
    this.#hands.get(index)?.die();
    this.#hands.delete(index);
  }

  cut(reason: string): void {
    this.#controller.abort(reason);
  }

  /** Lets every task return and die, also those that start meanwhile. */
  finishAll(): void {
    for (const index of this.inHand()) {
      this.return(index);
      this.die(index);
    }
    if (this.executed.length < this.options.inputs.length) setImmediate(() => this.finishAll());
  }
}

/** Lets promises that can settle do so. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
