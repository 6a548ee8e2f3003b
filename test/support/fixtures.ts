import type { RunPlan } from '../../src/record/plan.ts';
import type { OkTask } from '../../src/record/record.ts';

/** A plan for `fib` with `async`, changed where a test needs it. */
export function planOf(changes: Partial<RunPlan> = {}): RunPlan {
  return {
    workload: 'fib',
    strategy: 'async',
    fanOut: 'async',
    access: null,
    tasks: 3,
    concurrency: 3,
    pool: 'cold',
    client: null,
    join: 'all',
    attempts: 1,
    detail: 'tasks',
    timeoutMs: 30_000,
    runtime: 'node26',
    target: 'emulator',
    params: { n: 10 },
    runnerKind: 'plain',
    holdsMainThread: false,
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
    cpuNs: 3_000_000,
    attempts: [],
    labels: {},
    output: { value: 55, body: null },
    ...changes,
  };
}
