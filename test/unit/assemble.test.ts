import { describe, expect, it } from 'vitest';
import { assemble, type RunFrame } from '../../src/bench/assemble.ts';
import type { RunNews } from '../../src/bench/drive.ts';
import type { TaskRecord } from '../../src/record/record.ts';
import { okTask, planOf } from '../support/fixtures.ts';

describe('assembling a record', () => {
  it('counts no run from before it was asked for, such as from the start of its runner', () => {
    const record = assemble(frame(), news({ begun: null, orderedAtNs: 400, ending: { kind: 'died' } }));
    expect([record.startedAtNs, record.fanOutStartedAtNs]).toEqual([400, null]);
  });

  it('is ok when every task is', () => {
    const record = assemble(frame(), news({ ended: [okTask(0), okTask(1), okTask(2)] }));
    expect(record.outcome).toBe('ok');
    expect(record.tasks).toHaveLength(3);
  });

  it('fails a task whose answer is fast and wrong', () => {
    const wrong = okTask(1, { output: { value: 56, body: null, text: null, llm: null } });
    const record = assemble(frame(), news({ ended: [okTask(0), wrong, okTask(2)] }));
    expect(record.outcome).toBe('tasks_failed');
    expect(record.tasks.map(({ state }) => state)).toEqual(['ok', 'failed', 'ok']);
    expect(record.tasks[1]).toMatchObject({ error: { code: 'wrong_result' }, startedAtNs: 2_000_000 });
  });

  it('keeps what is known when the runner dies: ended tasks stand, started ones end with it', () => {
    const record = assemble(
      frame(),
      news({
        ended: [okTask(0)],
        started: [{ index: 1, queuedAtNs: 0, admittedAtNs: 1, startedAtNs: 2, pid: 9, threadId: 4 }],
        ending: { kind: 'died' },
        load: null,
      }),
    );
    expect(record.outcome).toBe('runner_crashed');
    expect(record.tasks).toMatchObject([
      { state: 'ok' },
      {
        state: 'failed',
        error: { code: 'runner_crashed' },
        pid: 9,
        threadId: 4,
        startedAtNs: 2,
        endedAtNs: 6_000_000,
      },
      { state: 'failed', error: { code: 'runner_crashed' }, startedAtNs: null, endedAtNs: null },
    ]);
    expect(record.runner).toMatchObject({ cpuMs: null, eventLoopUtilization: null });
  });

  it.each([
    ['run_timeout', 'run_timeout', 'failed'],
    ['cancelled', 'cancelled', 'cancelled'],
  ] as const)('cut off by %s, the outcome is %s and unfinished tasks are %s', (reason, outcome, state) => {
    const record = assemble(frame(), news({ ended: [okTask(0)], ending: { kind: 'cut', reason } }));
    expect(record.outcome).toBe(outcome);
    expect(record.tasks.map((task) => task.state)).toEqual(['ok', state, state]);
  });

  it('gives every task of a refused run the code and the upstream code of the refusal', () => {
    const refusal = {
      type: 'refused',
      runId: 'r',
      code: 'upstream_unavailable',
      message: 'no bucket',
      upstreamCode: 'NoSuchBucket',
      startedAtNs: 10,
      endedAtNs: 20,
    } as const;
    const record = assemble(
      frame(),
      news({ begun: null, ending: { kind: 'refused', refusal }, endedAtNs: 20 }),
    );
    expect(record).toMatchObject({ outcome: 'upstream_unavailable', failure: 'no bucket', startedAtNs: 10 });
    expect(record.tasks).toHaveLength(3);
    for (const task of record.tasks) {
      expect(task).toMatchObject({ error: { code: 'upstream_unavailable', upstreamCode: 'NoSuchBucket' } });
    }
  });

  it('says by warning that other runs were in flight, or that spans were dropped', () => {
    const disturbed = { ...frame(), runsInFlight: 2, spansDropped: true };
    const { warnings } = assemble(disturbed, news({ ended: [okTask(0), okTask(1), okTask(2)] }));
    expect(warnings.map(({ code }) => code)).toEqual(['runs_in_flight', 'spans_dropped']);
  });

  it('says by warning that an event loop which should only wait was saturated', () => {
    const load = { eventLoopDelayMaxMs: 40, eventLoopUtilization: 0.99, cpuMs: 10 };
    const { warnings } = assemble(frame(), news({ ended: [okTask(0), okTask(1), okTask(2)], load }));
    expect(warnings.map(({ code }) => code)).toEqual(['event_loop_saturated']);
  });
});

function frame(): RunFrame {
  return {
    id: 'run-1',
    plan: planOf(),
    clock: { name: 'hrtime', originNs: '0', epochOriginNs: '0' },
    trace: {
      traceId: 't',
      parentSpanId: null,
      runSpanId: 'r',
      signSpanId: null,
      sampled: true,
      linkedTo: null,
      taskSpanIds: ['a', 'b', 'c'],
    },
    runner: { pid: 100, runtime: { name: 'node', version: '26.0.0' } },
    runsInFlight: 0,
    spansDropped: false,
    collected: true,
    calibration: null,
    check: ({ value }) =>
      value === 55 ? null : { code: 'wrong_result', message: 'not 55', upstreamCode: null },
  };
}

interface Heard extends Partial<Omit<RunNews, 'ended' | 'started'>> {
  readonly ended?: readonly TaskRecord[];
  readonly started?: readonly (RunNews['started'] extends ReadonlyMap<number, infer Task> ? Task : never)[];
}

function news({ ended = [], started = [], ...changes }: Heard): RunNews {
  return {
    orderedAtNs: 0,
    begun: { startedAtNs: 0, signing: null, fanOutStartedAtNs: 0, warnings: [], bridged: false },
    ended: new Map(ended.map((task) => [task.index, task])),
    started: new Map(started.map((task) => [task.index, task])),
    ending: { kind: 'joined' },
    endedAtNs: 6_000_000,
    load: { eventLoopDelayMaxMs: 1, eventLoopUtilization: 0.1, cpuMs: 5 },
    ...changes,
  };
}
