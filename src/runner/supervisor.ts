import type { RunPlan } from '../record/plan.ts';
import { RunnerProcess, type RunnerOptions } from './runner-process.ts';
import { Headcount } from './headcount.ts';
import { RunnersAlike, type Lease } from './runners-alike.ts';
import type { Runtime } from './runtimes.ts';

export interface SupervisorOptions extends Pick<RunnerOptions, 'distFolder' | 'environment'> {
  /** What there can be runners of; the default first. */
  readonly runtimes: readonly Runtime[];
  /** So many workers and isolates may be alive at once, in all runners together. */
  readonly maxWorkers: number;
}

/** A runner lent to one run. */
export interface RunnerLease extends Lease {
  /** So many workers and isolates may be alive in it. */
  readonly mostAlive: number;
}

/** Starts the measured processes on demand, of each runtime and kind, and keeps them. */
export class Supervisor {
  readonly #runners: readonly RunnersAlike[];
  readonly #headcount: Headcount;

  constructor(
    { runtimes, maxWorkers, ...options }: SupervisorOptions,
    start: (options: RunnerOptions) => Promise<RunnerProcess> = (all) => RunnerProcess.start(all),
  ) {
    this.#headcount = new Headcount(maxWorkers);
    this.#runners = runtimes.flatMap((runtime) =>
      (['plain', 'isolates'] as const).map(
        (kind) => new RunnersAlike(runtime.name, kind, () => start({ ...options, runtime, kind })),
      ),
    );
  }

  /** How many runners were started in place of one that died, or had to be killed with its run. */
  get restarts(): number {
    return this.#runners.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /**
   * A runner for the plan; waits while all runners it could have to itself are taken, and until what lies idle has made
   * room for its workers.
   * @throws Error when none can be started; the signal's reason when it fires first
   */
  async lease(plan: RunPlan, signal: AbortSignal): Promise<RunnerLease> {
    const { runtime, runnerKind, holdsMainThread, workers } = plan;
    const alike = this.#runners.find((one) => one.runtime === runtime && one.kind === runnerKind);
    if (alike === undefined) throw new Error(`there is no runtime ${runtime}`);
    const { runner, release } = await alike.lease(plan, signal);
    const { mostAlive, leave } = await this.#headcount.enter(runner, workers, holdsMainThread);
    const giveBack = (): void => {
      leave();
      release();
    };
    if (!signal.aborted) return { runner, mostAlive, release: giveBack };
    giveBack();
    throw signal.reason;
  }

  /**
   * The runner that most runs share: of the default runtime, without isolates. Started when there is none alive.
   * @throws Error when it can't be started
   */
  async standby(): Promise<RunnerProcess> {
    const [first] = this.#runners;
    if (first === undefined) throw new Error('there is no runtime');
    return first.shared();
  }

  /** Kills every runner; resolves when all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#runners.map((alike) => alike.stop()));
  }
}
