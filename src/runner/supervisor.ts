import type { RunPlan } from '../record/plan.ts';
import { WaitingLine, type Turn } from '../waiting-line.ts';
import { RunnerProcess, type RunnerKind, type RunnerOptions } from './runner-process.ts';

/** A runner lent to one run. */
export interface Lease {
  readonly runner: RunnerProcess;
  release(): void;
}

/** How many runners of a kind there may be for runs that need one to themselves. */
const exclusiveRunners = 4;
/** How long such a runner is kept for the next run. */
const idleMs = 30_000;

/**
 * Starts the measured processes on demand and keeps them. Runs that never block a runner's main thread share one
 * of each kind; a run that does has one to itself, so that killing it harms no other.
 */
export class Supervisor {
  readonly #start: (kind: RunnerKind) => Promise<RunnerProcess>;
  /** Of each kind, how many died and were not replaced yet. */
  readonly #missing: Record<RunnerKind, number> = { plain: 0, isolates: 0 };
  /** Those that are no longer needed. */
  readonly #dismissed = new WeakSet<RunnerProcess>();
  #restarts = 0;
  readonly #shared = new Map<RunnerKind, Promise<RunnerProcess>>();
  readonly #exclusive: Readonly<Record<RunnerKind, ExclusivePool>>;

  constructor(
    options: Omit<RunnerOptions, 'kind'>,
    start: (options: RunnerOptions) => Promise<RunnerProcess> = (all) => RunnerProcess.start(all),
  ) {
    this.#start = async (kind) => this.#counted(kind, await start({ ...options, kind }));
    const pool = (kind: RunnerKind) =>
      new ExclusivePool(
        () => this.#start(kind),
        (runner) => this.#dismissed.add(runner),
      );
    this.#exclusive = { plain: pool('plain'), isolates: pool('isolates') };
  }

  /** How many runners were started in place of one that died, or had to be killed with its run. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * A runner for the plan; waits while all runners it could have to itself are taken.
   * @throws Error when none can be started; the signal's reason when it fires first
   */
  async lease({ runnerKind, holdsMainThread }: RunPlan, signal: AbortSignal): Promise<Lease> {
    if (holdsMainThread) return this.#exclusive[runnerKind].lease(signal);
    return { runner: await this.shared(runnerKind), release: () => undefined };
  }

  /** The runner that runs of this kind share; started when there is none alive. */
  async shared(kind: RunnerKind): Promise<RunnerProcess> {
    const current = this.#shared.get(kind);
    if (current !== undefined && (await current).alive) return current;
    // Another caller may have replaced it meanwhile.
    const newest = this.#shared.get(kind);
    if (newest !== current && newest !== undefined) return newest;
    const started = this.#start(kind);
    this.#shared.set(kind, started);
    void started.then(
      (runner) => runner.gone.then(() => this.#forgetShared(kind, started)),
      () => this.#forgetShared(kind, started),
    );
    return started;
  }

  #counted(kind: RunnerKind, runner: RunnerProcess): RunnerProcess {
    if (this.#missing[kind] > 0) {
      this.#missing[kind] -= 1;
      this.#restarts += 1;
    }
    void this.#missWhenGone(kind, runner);
    return runner;
  }

  async #missWhenGone(kind: RunnerKind, runner: RunnerProcess): Promise<void> {
    await runner.gone;
    if (!this.#dismissed.has(runner)) this.#missing[kind] += 1;
  }

  #forgetShared(kind: RunnerKind, runner: Promise<RunnerProcess>): void {
    if (this.#shared.get(kind) === runner) this.#shared.delete(kind);
  }

  /** Kills every runner; resolves when all are gone. */
  async stop(): Promise<void> {
    const shared = await Promise.allSettled(this.#shared.values());
    await Promise.all([
      ...shared.map((runner) => (runner.status === 'fulfilled' ? runner.value.kill() : null)),
      this.#exclusive.plain.stop(),
      this.#exclusive.isolates.stop(),
    ]);
  }
}

/** Runners of one kind, each lent to one run at a time, in the order of asking. */
class ExclusivePool {
  readonly #start: () => Promise<RunnerProcess>;
  /** Hears of a runner that is killed because nobody needs it. */
  readonly #dismiss: (runner: RunnerProcess) => void;
  readonly #idle: { readonly runner: RunnerProcess; readonly eviction: NodeJS.Timeout }[] = [];
  readonly #all = new Set<RunnerProcess>();
  readonly #line = new WaitingLine();
  readonly #turn: Turn = {
    fits: () => this.#lent < exclusiveRunners,
    take: () => {
      this.#lent += 1;
    },
  };
  #lent = 0;

  constructor(start: () => Promise<RunnerProcess>, dismiss: (runner: RunnerProcess) => void) {
    this.#start = start;
    this.#dismiss = dismiss;
  }

  async lease(signal: AbortSignal): Promise<Lease> {
    await this.#line.enter(this.#turn, signal);
    try {
      const runner = this.#takeIdle() ?? (await this.#startOne());
      return { runner, release: () => this.#release(runner) };
    } catch (error) {
      this.#giveBack();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((runner) => runner.kill()));
  }

  #takeIdle(): RunnerProcess | null {
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      clearTimeout(entry.eviction);
      if (entry.runner.alive) return entry.runner;
    }
    return null;
  }

  async #startOne(): Promise<RunnerProcess> {
    const runner = await this.#start();
    this.#all.add(runner);
    void runner.gone.then(() => this.#all.delete(runner));
    return runner;
  }

  #release(runner: RunnerProcess): void {
    if (runner.alive) {
      const eviction = setTimeout(() => {
        this.#dismiss(runner);
        void runner.kill();
      }, idleMs);
      this.#idle.push({ runner, eviction: eviction.unref() });
    }
    this.#giveBack();
  }

  #giveBack(): void {
    this.#lent -= 1;
    this.#line.letIn();
  }
}
