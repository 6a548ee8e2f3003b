import { describe, expect, it } from 'vitest';
import { runView } from '../../src/http/view.ts';
import { attemptOf, okTask, planOf, recordOf } from '../support/fixtures.ts';

const template = 'http://traces.example/{traceId}';
const cpu = { work: 'cpu', answersParameter: null } as const;
const io = { work: 'io', answersParameter: 'aloud' } as const;

describe('the body of a run', () => {
  it("a task's start is signing, queue and prepare together", () => {
    const task = okTask(0, {
      queuedAtNs: 3_000_000,
      admittedAtNs: 3_200_000,
      startedAtNs: 4_700_000,
      endedAtNs: 9_000_000,
      returnedAtNs: 9_250_000,
    });
    const { signing, tasks, fanOutMs, durationMs } = runView(
      recordOf({
        tasks: [task],
        signing: { fromNs: 0, toNs: 3_000_000 },
        fanOutStartedAtNs: 3_000_000,
        endedAtNs: 9_250_000,
      }),
      io,
      template,
    );
    expect(signing).toEqual({ durationMs: 3 });
    expect(tasks[0]).toMatchObject({
      queueMs: 0.2,
      prepareMs: 1.5,
      startMs: 4.7,
      endMs: 9,
      handBackMs: 0.25,
    });
    expect([fanOutMs, durationMs]).toEqual([6.25, 9.25]);
  });

  it('counts from the start of the run, not from the origin of its clock', () => {
    const view = runView(recordOf({ startedAtNs: 1_000_000, fanOutStartedAtNs: 1_000_000 }), cpu, template);
    expect(view.durationMs).toBe(5);
    expect(view.tasks[0]).toMatchObject({ startMs: 1, endMs: 4 });
  });

  it('has null for what nobody saw', () => {
    const { state: _, output: __, ...facts } = okTask(0);
    const error = { code: 'runner_crashed', message: 'it died', upstreamCode: null } as const;
    const unseen = {
      queuedAtNs: 0,
      admittedAtNs: null,
      startedAtNs: null,
      endedAtNs: null,
      returnedAtNs: null,
    };
    const failed = {
      ...facts,
      ...unseen,
      state: 'failed',
      pid: null,
      threadId: null,
      cpuNs: null,
      error,
    } as const;
    const view = runView(
      recordOf({ outcome: 'runner_crashed', fanOutStartedAtNs: null, tasks: [failed] }),
      cpu,
      template,
    );
    expect(view.fanOutMs).toBeNull();
    expect(view.signing).toBeNull();
    expect(view.tasks[0]).toMatchObject({
      queueMs: null,
      prepareMs: null,
      startMs: null,
      endMs: null,
      handBackMs: null,
      pid: null,
      threadId: null,
      bytes: null,
      error,
      phases: { dnsMs: null, connectMs: null, tlsMs: null, ttfbMs: null, downloadMs: null },
    });
  });

  it('has null times, and no call spent, of a task that the join ended before it began', () => {
    const { output: _, ...facts } = okTask(1, {});
    const unbegun = {
      ...facts,
      state: 'cancelled',
      startedAtNs: null,
      endedAtNs: null,
      returnedAtNs: null,
    } as const;
    const record = recordOf({ plan: planOf({ join: 'hedged' }), tasks: [okTask(0), unbegun] });
    const view = runView(record, io, template);
    expect(view.callsSpent).toBe(1);
    expect(view.tasks[1]).toMatchObject({
      queueMs: null,
      prepareMs: null,
      startMs: null,
      endMs: null,
      handBackMs: null,
    });
  });

  it('tells the answers when the parameter that the workload has for it says so', () => {
    const output = { value: null, body: null, text: 'yes', llm: null };
    const told = (workload: typeof cpu | typeof io, aloud: boolean) =>
      runView(
        recordOf({ plan: planOf({ params: { aloud } }), tasks: [okTask(0, { output })] }),
        workload,
        template,
      ).tasks[0];
    expect(told(io, true)).toHaveProperty('answer', 'yes');
    expect(told(io, false)).not.toHaveProperty('answer');
    expect(told(cpu, true)).not.toHaveProperty('answer');
  });

  it('gives the phases of the last attempt and the number of attempts', () => {
    const none = { dns: null, connect: null, tls: null, download: null };
    const first = attemptOf({ phases: { ...none, ttfb: { fromNs: 0, toNs: 1_000_000 } } });
    const last = attemptOf({ phases: { ...none, ttfb: { fromNs: 0, toNs: 2_500_000 } } });
    const view = runView(recordOf({ tasks: [okTask(0, { attempts: [first, last] })] }), io, template);
    expect(view.tasks[0]).toMatchObject({ attempts: 2, phases: { ttfbMs: 2.5, dnsMs: null } });
  });

  it('gives the strategy as the user named it, with its access', () => {
    const plan = planOf({ workload: 's3', strategy: 'presigned-async', access: 'presigned', client: 'got' });
    expect(runView(recordOf({ plan }), io, template).run).toMatchObject({
      strategy: 'presigned-async',
      access: 'presigned',
      client: 'got',
    });
  });

  it('links to the trace wherever the template names it', () => {
    const { trace } = runView(recordOf(), cpu, 'http://a/{traceId}?again={traceId}');
    expect(trace.url).toBe(`http://a/${trace.traceId}?again=${trace.traceId}`);
  });
});
