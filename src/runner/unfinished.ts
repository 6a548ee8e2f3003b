import type { InstantNs } from '../record/clock.ts';
import type { AttemptRecord, FailedTask, Labels, TaskError, TaskErrorCode } from '../record/record.ts';
import type { StartedTask } from './messages.ts';

type UnfinishedCode = Extract<TaskErrorCode, 'run_timeout' | 'runner_crashed' | 'upstream_unavailable'>;

/** The error of a task that its run did not let finish. */
export function unfinishedError(code: UnfinishedCode, upstreamCode: string | null = null): TaskError {
  return { code, message: reasons[code], upstreamCode };
}

const reasons: Readonly<Record<UnfinishedCode, string>> = {
  run_timeout: "the run's time limit came first",
  runner_crashed: 'the process that executed the run died',
  upstream_unavailable: 'listing or signing failed, so no task ran',
};

/** All of a task's record that does not depend on how it ended. */
export type UnfinishedFacts = Omit<FailedTask, 'state' | 'error'>;

interface Known {
  readonly queuedAtNs: InstantNs | null;
  readonly admittedAtNs: InstantNs | null;
  readonly started: StartedTask | null;
  /** `null` where nobody saw them. */
  readonly attempts: readonly AttemptRecord[] | null;
  readonly labels: Labels;
}

/** What is known of a task that ended at `atNs` without a result; one that never started has no end either. */
export function unfinishedFacts(index: number, atNs: InstantNs, known: Known): UnfinishedFacts {
  const { started } = known;
  return {
    index,
    pid: started?.pid ?? null,
    threadId: started?.threadId ?? null,
    queuedAtNs: started?.queuedAtNs ?? known.queuedAtNs,
    admittedAtNs: started?.admittedAtNs ?? known.admittedAtNs,
    startedAtNs: started?.startedAtNs ?? null,
    endedAtNs: started === null ? null : atNs,
    returnedAtNs: null,
    cpuNs: null,
    reused: null,
    attempts: started === null ? [] : known.attempts,
    labels: known.labels,
  };
}
