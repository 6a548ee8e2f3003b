import { describe, expect, it } from 'vitest';
import type { Execution, Executor, TaskHandle } from '../../src/execution/executor.ts';
import type { TaskRecord } from '../../src/record/record.ts';
import { fanOut, type FanOut } from '../../src/runner/fan-out.ts';

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

/** A run under a clock and an executor that do only what a test says. */
class FakeRun {
  now = 0;
  readonly ended: TaskRecord[] = [];
  readonly executed: number[] = [];
  readonly options: FanOut;
  readonly #hands = new Map<number, { handle: TaskHandle; die(): void }>();
  readonly #controller = new AbortController();

  constructor({ tasks, concurrency }: { tasks: number; concurrency: number }) {
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
      attempts: [],
      result: { state: 'ok', output: { value: 1, body: null } },
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
