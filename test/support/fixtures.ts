import type { RunPlan } from '../../src/record/plan.ts';
import type { AttemptRecord, OkTask, RunRecord, TaskOutput } from '../../src/record/record.ts';

/** A plan for `fib` with `async`, changed where a test needs it. */
export function planOf(changes: Partial<RunPlan> = {}): RunPlan {
  return {
    workload: 'fib',
    strategy: 'async',
    fanOut: 'async',
    runsOn: 'main-thread',
    isolate: false,
    access: null,
    tasks: 3,
    concurrency: 3,
    pool: 'cold',
    client: null,
    join: 'all',
    hedgeAfterMs: null,
    validate: null,
    attempts: 1,
    detail: 'tasks',
    timeoutMs: 30_000,
    runtime: 'node26',
    target: 'emulator',
    params: { n: 10 },
    runnerKind: 'plain',
    holdsMainThread: false,
    cpuBound: true,
    workers: 0,
    warnings: [],
    ...changes,
  };
}

/** A task that went well: queued at 0, started at 2 ms, ended at 5 ms, with the result of `fib` n=10. */
export function okTask(index: number, changes: Partial<OkTask> = {}): OkTask {
  return {
    index,
    state: 'ok',
    pid: 100,
    threadId: 0,
    queuedAtNs: 0,
    admittedAtNs: 1_000_000,
    startedAtNs: 2_000_000,
    endedAtNs: 5_000_000,
    returnedAtNs: 5_500_000,
    reused: false,
    cpuNs: 3_000_000,
    attempts: [],
    labels: {},
    output: { value: 55, body: null, text: null, llm: null },
    ...changes,
  };
}

/** One exchange of 3 ms that went well. */
export function attemptOf(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    method: 'GET',
    url: 'http://127.0.0.1:1/bucket/key',
    startedAtNs: 2_000_000,
    endedAtNs: 5_000_000,
    statusCode: 200,
    complete: true,
    reusedSocket: false,
    serverMs: null,
    phases: { dns: null, connect: null, tls: null, ttfb: null, download: null },
    ...changes,
  };
}

/** A run of 6 ms with three tasks that went well. */
export function recordOf(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'run-1',
    plan: planOf(),
    outcome: 'ok',
    failure: null,
    clock: { name: 'hrtime', originNs: '0', epochOriginNs: '1770000000000000000' },
    trace: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: null,
      runSpanId: 'b7ad6b7169203331',
      signSpanId: null,
      taskSpanIds: ['00f067aa0ba902b1', '00f067aa0ba902b2', '00f067aa0ba902b3'],
      sampled: true,
      linkedTo: null,
    },
    startedAtNs: 0,
    signing: null,
    fanOutStartedAtNs: 0,
    endedAtNs: 6_000_000,
    tasks: [okTask(0), okTask(1), okTask(2)],
    runtime: { name: 'node', version: '26.0.0' },
    runner: { pid: 100, eventLoopDelayMaxMs: 1, eventLoopUtilization: 0.1, cpuMs: 5, runsInFlight: 0 },
    isolate: null,
    calibration: null,
    warnings: [],
    ...changes,
  };
}

/** What a task hands back that has nothing to say. */
export const emptyOutput: TaskOutput = { value: null, body: null, text: null, llm: null };
