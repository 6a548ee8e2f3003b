import type { RunPlan } from '../record/plan.ts';
import { turnOf, WaitingLine } from '../waiting-line.ts';
import type { RunnerKind, RunnerProcess } from './runner-process.ts';

/** A runner that one run, or one among others, may use. */
export interface Lease {
  readonly runner: RunnerProcess;
  readonly release: () => void;
}

/** How many runners of a kind there may be for runs that have one to themselves. */
export const exclusiveRunners = 4;
/** How long such a runner is kept for the next run. */
export const exclusiveIdleMs = 30_000;

/**
 * The runners of one runtime and kind. Runs that never block a runner's main thread share one; a run that does has one
 * to itself, so that killing it harms no other. So has one that computes beside another that does: each runner leads a
 * session of its own, and where Linux groups threads by session for its scheduler (`sched_autogroup`), two runs then get
 * the same share of the cores, however many threads each has.
 */
export class RunnersAlike {
  readonly runtime: string;
  readonly kind: RunnerKind;
  readonly #startProcess: () => Promise<RunnerProcess>;
  readonly #exclusive: ExclusivePool;
  #shared: Promise<RunnerProcess> | null = null;
  /** Runs that compute in the shared one. */
  #computing = 0;
  /** How many died and were not replaced yet. */
  #missing = 0;
  /** Those that are no longer needed. */
  readonly #dismissed = new WeakSet<RunnerProcess>();
  #restarts = 0;

  constructor(runtime: string, kind: RunnerKind, start: () => Promise<RunnerProcess>) {
    this.runtime = runtime;
    this.kind = kind;
    this.#startProcess = start;
    this.#exclusive = new ExclusivePool(
      () => this.#start(),
      (runner) => this.#dismissed.add(runner),
    );
  }

  /** How many were started in place of one that died, or had to be killed with its run. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * A runner that others share, or one that none has meanwhile, for which it may have to wait.
   * @throws Error when none can be started; the signal's reason when it fires first
   */
  async lease(
    { holdsMainThread, cpuBound, pool }: Pick<RunPlan, 'holdsMainThread' | 'cpuBound' | 'pool'>,
    signal: AbortSignal,
  ): Promise<Lease> {
    // What is kept warm is in the shared one.
    const apart = cpuBound && pool === 'cold' && this.#computing > 0 && this.#exclusive.hasFree;
    if (holdsMainThread || apart) return this.#exclusive.lease(signal);
    const release = cpuBound ? this.#compute() : () => undefined;
    try {
      return { runner: await this.shared(), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #compute(): () => void {
    this.#computing += 1;
    return () => {
      this.#computing -= 1;
    };
  }

  /** The runner that runs share; started when there is none alive. */
  async shared(): Promise<RunnerProcess> {
    const current = this.#shared;
    if (current !== null) {
      const runner = await current;
      if (runner.alive) return runner;
      // So that no workers are made beside those of one that is being killed.
      await runner.gone;
    }
    // Another caller may have replaced it meanwhile.
    const newest = this.#shared;
    if (newest !== current && newest !== null) return newest;
    const started = this.#start();
    this.#shared = started;
    void started.then(
      (runner) => runner.gone.then(() => this.#forgetShared(started)),
      () => this.#forgetShared(started),
    );
    return started;
  }

  /** Kills all; resolves when they are gone. */
  async stop(): Promise<void> {
    const [shared] = await Promise.allSettled([this.#shared]);
    await Promise.all([shared.status === 'fulfilled' ? shared.value?.kill() : null, this.#exclusive.stop()]);
  }

  async #start(): Promise<RunnerProcess> {
    const runner = await this.#startProcess();
    if (this.#missing > 0) {
      this.#missing -= 1;
      this.#restarts += 1;
    }
    void this.#missWhenGone(runner);
    return runner;
  }

  async #missWhenGone(runner: RunnerProcess): Promise<void> {
    await runner.gone;
    if (!this.#dismissed.has(runner)) this.#missing += 1;
  }

  #forgetShared(runner: Promise<RunnerProcess>): void {
    if (this.#shared === runner) this.#shared = null;
  }
}

interface Idle {
  readonly runner: RunnerProcess;
  readonly eviction: NodeJS.Timeout;
}

/** Runners alike, each lent to one run at a time, in the order of asking. */
class ExclusivePool {
  readonly #start: () => Promise<RunnerProcess>;
  /** Hears of a runner that is killed because nobody needs it. */
  readonly #dismiss: (runner: RunnerProcess) => void;
  readonly #idle: Idle[] = [];
  readonly #all = new Set<RunnerProcess>();
  readonly #line = new WaitingLine();
  readonly #turn = turnOf(
    () => this.#lent < exclusiveRunners,
    () => {
      this.#lent += 1;
    },
  );
  #lent = 0;

  constructor(start: () => Promise<RunnerProcess>, dismiss: (runner: RunnerProcess) => void) {
    this.#start = start;
    this.#dismiss = dismiss;
  }

  /** Whether nobody would have to wait for one. */
  get hasFree(): boolean {
    return this.#line.length === 0 && this.#lent < exclusiveRunners;
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
      const eviction = setTimeout(() => this.#evict(idle), exclusiveIdleMs).unref();
      const idle: Idle = { runner, eviction };
      this.#idle.push(idle);
    }
    this.#giveBack();
  }

  #evict(idle: Idle): void {
    this.#idle.splice(this.#idle.indexOf(idle), 1);
    this.#dismiss(idle.runner);
    void idle.runner.kill();
  }

  #giveBack(): void {
    this.#lent -= 1;
    this.#line.letIn();
  }
}
