import { nsToMs } from '../record/clock.ts';
import type { RunRecord, TaskRecord } from '../record/record.ts';
import { sharesOf, type Shares } from './shares.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';

/** Why a run took as long as it did. `null` where it can't be known. */
export interface Analysis {
  /** How many tasks were really under way at once, on average. */
  readonly parallelism: number | null;
  /** The physical limit: no strategy can be faster. */
  readonly limitMs: number | null;
  readonly limitedBy: 'slowest_answer' | 'slowest_task' | 'cores' | 'unknown';
  /** `limitMs` / `durationMs`; 1 is perfect. */
  readonly efficiency: number | null;
  /** Milliseconds of the critical path, by what they went into; together they are the run's duration. */
  readonly shares: Shares;
}

/**
 * Analyses a run. Parallelism is the sum of task run times over the run's duration; for CPU work the sum of their CPU
 * times, or where a task's own can't be told (isolates on isolated-vm's threads) the CPU time of the whole run. The
 * limit of waiting and I/O is the slowest answer as its server tells it, else the slowest task; that of CPU work is one
 * task, or all of them on all cores, at a task's own cost, where a comparison measured that.
 */
export function analyse(record: RunRecord, work: WorkloadDeclaration['work']): Analysis {
  const durationMs = nsToMs(record.endedAtNs - record.startedAtNs);
  const limit = work === 'cpu' ? computingLimit(record) : waitingLimit(record.tasks);
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

function computingLimit({ calibration, tasks }: RunRecord): Limit {
  if (calibration === null) return unknownLimit;
  const { taskMs, cores } = calibration;
  const sharedMs = (tasks.length * taskMs) / cores;
  return sharedMs > taskMs
    ? { limitMs: sharedMs, limitedBy: 'cores' }
    : { limitMs: taskMs, limitedBy: 'slowest_task' };
}

function waitingLimit(tasks: readonly TaskRecord[]): Limit {
  const answers = tasks.flatMap(({ attempts }) =>
    (attempts ?? []).flatMap(({ serverMs }) => (serverMs === null ? [] : [serverMs])),
  );
  if (answers.length > 0) return { limitMs: largest(answers), limitedBy: 'slowest_answer' };
  const runs = tasks.map(runMs).filter((ms) => ms !== null);
  return runs.length > 0 ? { limitMs: largest(runs), limitedBy: 'slowest_task' } : unknownLimit;
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
