import { nsToMs } from '../record/clock.ts';
import type { OkTask, RunRecord, TaskRecord } from '../record/record.ts';
import { sharesOf, type Shares } from './shares.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';

/** Why a run took as long as it did. `null` where it can't be known. */
export interface Analysis {
  /** How many tasks were really under way at once, on average. */
  readonly parallelism: number | null;
  /** The physical limit: no strategy can be faster at what succeeded. */
  readonly limitMs: number | null;
  readonly limitedBy: 'slowest_answer' | 'slowest_task' | 'cores' | 'unknown';
  /** `limitMs` / `durationMs`; 1 is perfect. */
  readonly efficiency: number | null;
  /** Milliseconds of the critical path, by what they went into; together they are the run's duration. */
  readonly shares: Shares;
}

/**
 * Analyses a run. Parallelism is the sum of task run times over the run's duration; for CPU work the sum of their CPU
 * times, or where a task's own can't be told (isolates on isolated-vm's threads) the CPU time of the whole run.
 *
 * The limit is the least time in which the tasks that are ok could have been done; where a join ends with the first
 * success, the one that won. Of waiting and I/O it is the slowest of their answers as their servers tell it, else the
 * slowest of them; of CPU work one task, or all of them on all cores, at a task's own cost, where a comparison measured
 * that. An answer that was broken off, or lost the race, may have announced more time than the run took, and the wait
 * before a hedged task is begun is asked for: they don't count, or the limit would be none.
 */
export function analyse(record: RunRecord, work: WorkloadDeclaration['work']): Analysis {
  const durationMs = nsToMs(record.endedAtNs - record.startedAtNs);
  const done = record.tasks.filter((task) => task.state === 'ok');
  const limit = work === 'cpu' ? computingLimit(done.length, record.calibration) : waitingLimit(done);
  const spentMs =
    work === 'cpu' ? (sum(record.tasks.map(cpuMs)) ?? record.runner.cpuMs) : sum(record.tasks.map(runMs));
  return {
    parallelism: share(spentMs, durationMs),
    ...limit,
    efficiency: share(limit.limitMs, durationMs),
    shares: sharesOf(record),
  };
}

type Limit = Pick<Analysis, 'limitMs' | 'limitedBy'>;

const unknownLimit: Limit = { limitMs: null, limitedBy: 'unknown' };

function computingLimit(done: number, calibration: RunRecord['calibration']): Limit {
  if (calibration === null || done === 0) return unknownLimit;
  const { taskMs, cores } = calibration;
  const sharedMs = (done * taskMs) / cores;
  return sharedMs > taskMs
    ? { limitMs: sharedMs, limitedBy: 'cores' }
    : { limitMs: taskMs, limitedBy: 'slowest_task' };
}

function waitingLimit(done: readonly OkTask[]): Limit {
  const answers = done.map(answerMs).filter((ms) => ms !== null);
  if (answers.length > 0) return { limitMs: largest(answers), limitedBy: 'slowest_answer' };
  const runs = done.map(runMs).filter((ms) => ms !== null);
  return runs.length > 0 ? { limitMs: largest(runs), limitedBy: 'slowest_task' } : unknownLimit;
}

/**
 * As the server tells it: of a task's answers the last, with which it succeeded. What a cache or a proxy tells of other
 * requests may be longer than this one took, which no limit is.
 */
function answerMs(task: OkTask): number | null {
  const toldMs = task.attempts?.at(-1)?.serverMs ?? null;
  return toldMs === null ? null : Math.min(toldMs, nsToMs(task.endedAtNs - task.startedAtNs));
}

function runMs({ startedAtNs, endedAtNs }: TaskRecord): number | null {
  return startedAtNs === null || endedAtNs === null ? null : nsToMs(endedAtNs - startedAtNs);
}

function cpuMs({ cpuNs }: TaskRecord): number | null {
  return cpuNs === null ? null : nsToMs(cpuNs);
}

/** `null` when nothing is known. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}

function share(part: number | null, whole: number): number | null {
  return part === null || whole === 0 ? null : part / whole;
}
