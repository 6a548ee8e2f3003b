import type { RunPlan } from '../../src/record/plan.ts';
import type {
  AttemptRecord,
  CancelledTask,
  FailedTask,
  OkTask,
  RunRecord,
  TaskRecord,
  TraceIds,
} from '../../src/record/record.ts';
import { planOf } from '../support/fixtures.ts';

export const plan: RunPlan = planOf({
  workload: 's3',
  strategy: 'presigned-async',
  access: 'presigned',
  client: 'got',
  params: {},
});

/** No power of ten in it, so that a rounding anywhere would show. */
const epochOriginNs = '1795395013123456789';

export const attempt: AttemptRecord = {
  method: 'GET',
  url: 'http://127.0.0.1:9000/photos/cats/1.jpg?X-Amz-Expires=900&X-Amz-Signature=REDACTED',
  startedAtNs: 4_000_000,
  endedAtNs: 40_000_000,
  statusCode: 200,
  complete: true,
  reusedSocket: false,
  serverMs: 30,
  phases: {
    dns: null,
    connect: { fromNs: 4_000_000, toNs: 4_500_000 },
    tls: null,
    ttfb: { fromNs: 4_500_000, toNs: 34_500_000 },
    download: { fromNs: 34_500_000, toNs: 40_000_000 },
  },
};

export function okTask(index: number, changes: Partial<OkTask> = {}): OkTask {
  return {
    index,
    state: 'ok',
    pid: 4711,
    threadId: 0,
    queuedAtNs: 3_100_000,
    admittedAtNs: 3_200_000 + index,
    startedAtNs: 3_700_000 + index,
    endedAtNs: 43_300_007 + index,
    returnedAtNs: 43_400_007 + index,
    cpuNs: null,
    reused: false,
    attempts: [],
    labels: {},
    output: { value: 1, body: null, text: null, llm: null },
    ...changes,
  };
}

export function failedTask(index: number, changes: Partial<FailedTask> = {}): FailedTask {
  const { output: _, ...facts } = okTask(index);
  const error = {
    code: 'upstream_error',
    message: 'the key is not there',
    upstreamCode: 'NoSuchKey',
  } as const;
  return { ...facts, state: 'failed', error, ...changes };
}

export function cancelledTask(index: number, changes: Partial<CancelledTask> = {}): CancelledTask {
  const { output: _, ...facts } = okTask(index);
  return { ...facts, state: 'cancelled', ...changes };
}

export const neverStarted = {
  pid: null,
  threadId: null,
  admittedAtNs: null,
  startedAtNs: null,
  endedAtNs: null,
  returnedAtNs: null,
  reused: null,
} as const;

/** A run of these tasks, from 1 ms to 45.000001 ms after the origin, signing first. */
export function runOf(
  tasks: readonly TaskRecord[],
  trace: TraceIds,
  changes: Partial<RunRecord> = {},
): RunRecord {
  return {
    id: 'run-1',
    plan: { ...plan, tasks: tasks.length, concurrency: tasks.length },
    outcome: 'ok',
    failure: null,
    clock: { name: 'hrtime', originNs: '5000000000', epochOriginNs },
    trace,
    startedAtNs: 1_000_000,
    signing: { fromNs: 1_000_000, toNs: 3_000_001 },
    fanOutStartedAtNs: 3_000_001,
    endedAtNs: 45_000_001,
    tasks,
    runtime: { name: 'node26', version: '26.10.0' },
    runner: {
      pid: 4711,
      eventLoopDelayMaxMs: 1,
      eventLoopUtilization: 0.2,
      cpuMs: 5,
      runsInFlight: 0,
    },
    isolate: null,
    calibration: null,
    warnings: [],
    ...changes,
  };
}

/** The epoch time of an instant of such a run. */
export function epochNs(instantNs: number): bigint {
  return BigInt(epochOriginNs) + BigInt(instantNs);
}
