import { strategiesOf, type NamedStrategy } from '../../src/bench/strategies-of.ts';
import type { WorkloadDeclaration } from '../../src/workloads/declaration.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';

/** A workload with one of the strategies that it can have. */
export interface Cell {
  /** `s3 presigned-async` */
  readonly title: string;
  readonly workload: WorkloadDeclaration;
  readonly strategy: NamedStrategy;
  /** Its run, but for the number of tasks: so little work that it takes no time. */
  readonly path: string;
}

const world = worldOf(targetAt(null));
const lightWork: Readonly<Record<string, string>> = { fib: '&n=12', sleep: '&ms=40' };

/** Every workload with every strategy that is possible, from the registries. */
export const cells: readonly Cell[] = workloads.flatMap(({ declaration: workload }) =>
  strategiesOf(workload, world)
    .filter(({ refusal }) => refusal === null)
    .map((strategy) => ({
      title: `${workload.name} ${strategy.name}`,
      workload,
      strategy,
      path: `/bench/${workload.name}?strategy=${strategy.name}${lightWork[workload.name] ?? ''}`,
    })),
);

export const s3Cells: readonly Cell[] = cells.filter(({ workload }) => workload.name === 's3');
