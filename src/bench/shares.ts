import { nsToMs, type InstantNs } from '../record/clock.ts';
import type { RunRecord, TaskRecord } from '../record/record.ts';

/** What an instant of a run went into. */
export const shareNames = ['signing', 'queue', 'prepare', 'run', 'contention', 'handBack', 'other'] as const;

/** Milliseconds of a run's duration, by what they went into; together they are the duration. */
export type Shares = Readonly<Record<(typeof shareNames)[number], number>>;

/**
 * Where the time went along the critical path: from the join back through the task that ended last, then the one whose
 * end freed its slot or the main thread, and so on to the start. Each instant counts once. `contention` is what a task
 * ran longer than it costs alone, known for CPU work that was calibrated: others had the cores, or its code was not
 * compiled yet. `queue` is all other waiting for its turn; `other` is what no task of the path accounts for.
 */
export function sharesOf(record: RunRecord): Shares {
  const path = new Path(record.endedAtNs, record.startedAtNs);
  const fanOutNs = record.fanOutStartedAtNs ?? record.endedAtNs;
  const aloneNs = record.calibration === null ? Infinity : record.calibration.taskMs * 1e6;
  const finished = record.tasks.filter(isFinished).toSorted((a, b) => a.endedAtNs - b.endedAtNs);
  // Ever earlier ones, so the way back is as long as there are tasks.
  const takeLastEndedBy = (latestNs: InstantNs): Finished | null => {
    while ((finished.at(-1)?.endedAtNs ?? 0) > latestNs) finished.pop();
    return finished.pop() ?? null;
  };
  let task = lastReturned(finished, record);
  while (task !== null) {
    path.backTo(task.returnedAtNs, 'other');
    path.backTo(task.endedAtNs, 'handBack');
    path.backTo(task.startedAtNs + aloneNs, 'contention');
    path.backTo(task.startedAtNs, 'run');
    path.backTo(task.admittedAtNs, 'prepare');
    const { queuedAtNs, admittedAtNs } = task;
    task = waitedForAnother(task, record.plan) ? takeLastEndedBy(admittedAtNs) : null;
    if (task !== null && task.endedAtNs <= queuedAtNs) task = null;
    path.backTo(task?.returnedAtNs ?? queuedAtNs, 'queue');
  }
  path.backTo(fanOutNs, 'other');
  path.backTo(record.signing?.toNs ?? fanOutNs, 'other');
  path.backTo(record.signing?.fromNs ?? fanOutNs, 'signing');
  return path.end();
}

type Finished = TaskRecord & {
  readonly queuedAtNs: InstantNs;
  readonly admittedAtNs: InstantNs;
  readonly startedAtNs: InstantNs;
  readonly endedAtNs: InstantNs;
  readonly returnedAtNs: InstantNs;
};

function isFinished(task: TaskRecord): task is Finished {
  return (
    task.queuedAtNs !== null &&
    task.admittedAtNs !== null &&
    task.startedAtNs !== null &&
    task.endedAtNs !== null &&
    task.returnedAtNs !== null
  );
}

/** The last to return that the join waited for: a join that ends with the first success waits for an ok one. */
function lastReturned(tasks: readonly Finished[], { plan, endedAtNs }: RunRecord): Finished | null {
  const inTime = tasks.filter(({ returnedAtNs }) => returnedAtNs <= endedAtNs);
  const ok = plan.join === 'all' ? [] : inTime.filter(({ state }) => state === 'ok');
  return (ok.length > 0 ? ok : inTime).reduce<Finished | null>(
    (last, task) => (last === null || task.returnedAtNs >= last.returnedAtNs ? task : last),
    null,
  );
}

/** The first tasks find a free slot each; a main thread that is held has one for all. */
function waitedForAnother(
  { index, queuedAtNs, admittedAtNs }: Finished,
  { concurrency, holdsMainThread }: RunRecord['plan'],
): boolean {
  return admittedAtNs > queuedAtNs && (index >= concurrency || holdsMainThread);
}

/** A way back through a run's time, each stretch of it under one name. */
class Path {
  readonly #startNs: InstantNs;
  readonly #shares = Object.fromEntries(shareNames.map((name) => [name, 0]));
  #atNs: InstantNs;

  constructor(endNs: InstantNs, startNs: InstantNs) {
    this.#atNs = endNs;
    this.#startNs = startNs;
  }

  /** All between here and there, if that is earlier, went into `name`. */
  backTo(instantNs: InstantNs, name: keyof Shares): void {
    const toNs = Math.max(instantNs, this.#startNs);
    if (toNs >= this.#atNs) return;
    this.#shares[name] = (this.#shares[name] ?? 0) + nsToMs(this.#atNs - toNs);
    this.#atNs = toNs;
  }

  end(): Shares {
    this.backTo(this.#startNs, 'other');
    const {
      signing = 0,
      queue = 0,
      prepare = 0,
      run = 0,
      contention = 0,
      handBack = 0,
      other = 0,
    } = this.#shares;
    return { signing, queue, prepare, run, contention, handBack, other };
  }
}
