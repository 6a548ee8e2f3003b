import { poolRefusal } from '../../src/bench/combinations.ts';
import { strategiesOf } from '../../src/bench/strategies-of.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { EmulatedBenches } from './emulated.ts';
import { targetAt, worldOf, type RunnerBench } from './run-on-runner.ts';

/** A workload and a strategy that can be warm together. */
export interface WarmCell {
  readonly workload: string;
  readonly strategy: string;
  /** What executes its tasks: on the main thread it is the client that may be kept. */
  readonly runsOn: 'main-thread' | 'isolate-threads' | 'worker-thread' | 'child-process';
  readonly sends: boolean;
  /** A task that takes no time, and one that takes a while. */
  readonly light: Readonly<Record<string, string>>;
}

const light: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fib: { n: '12' },
  sleep: { ms: '2' },
  s3: {},
};

const world = worldOf(targetAt(null));

/** Every cell of the matrix that can be warm, of the workloads that need no more than S3. */
export const warmCells: readonly WarmCell[] = workloads
  .filter(({ declaration: { name } }) => Object.hasOwn(light, name))
  .flatMap(({ declaration: workload }) =>
    strategiesOf(workload, world)
      .filter(({ refusal, declaration }) => (refusal ?? poolRefusal(workload, declaration, 'warm')) === null)
      .map(({ name, declaration }) => ({
        workload: workload.name,
        strategy: name,
        runsOn: declaration.runsOn,
        sends: workload.accesses.length > 0,
        light: light[workload.name] ?? {},
      })),
  );

/** Runners with an emulator beside them. */
export class WarmBench {
  readonly runners: RunnerBench;
  readonly #benches: EmulatedBenches;

  static async start(latencyMs: number): Promise<WarmBench> {
    const benches = new EmulatedBenches(latencyMs);
    // Without a listing, whose requests would count against a short time limit.
    const keys = [0, 1, 2, 3].map((index) => `photos/${index}.jpg`);
    return new WarmBench(benches, benches.at(await benches.target('', { keys })));
  }

  private constructor(benches: EmulatedBenches, runners: RunnerBench) {
    this.#benches = benches;
    this.runners = runners;
  }

  /** Three light tasks, unless more is given. */
  async run(
    { workload, strategy, light: params }: Pick<WarmCell, 'workload' | 'strategy' | 'light'>,
    pool: 'cold' | 'warm',
    given: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<RunRecord> {
    return this.runners.run(workload, { strategy, tasks: '3', pool, ...params, ...given }, signal);
  }

  async stop(): Promise<void> {
    await this.#benches.close();
  }
}

export function reusedOf({ tasks }: RunRecord): readonly (boolean | null)[] {
  return tasks.map(({ reused }) => reused);
}

/** Where its tasks ran, each place once. */
export function placesOf({ tasks }: RunRecord): readonly string[] {
  return [...new Set(tasks.map(({ pid, threadId }) => `${pid}/${threadId}`))].toSorted();
}

/** How many of its tasks opened a connection. */
export function connectsOf({ tasks }: RunRecord): number {
  return tasks.filter(({ attempts }) => attempts?.some(({ phases }) => phases.connect !== null)).length;
}
