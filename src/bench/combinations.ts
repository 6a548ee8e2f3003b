import type { Join, Pool } from '../record/plan.ts';
import type { Runtime } from '../runner/runtimes.ts';
import type { StrategyDeclaration } from '../strategies/declaration.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';

/** Whether a task holds the runner's main thread from its start to its end. */
export function holdsMainThread(
  { blocksThread }: WorkloadDeclaration,
  { runsOn, awaits }: StrategyDeclaration,
): boolean {
  if (runsOn !== 'main-thread') return false;
  return blocksThread === 'always' || (blocksThread === 'unless-awaited' && !awaits);
}

/** Why a join can't be used; `null` when it can. */
export function joinRefusal(
  workload: WorkloadDeclaration,
  strategy: StrategyDeclaration,
  join: Join,
): string | null {
  if (join === 'all') return null;
  if (join === 'first-valid' && workload.validations.length === 0) {
    return `${workload.name} has no answer that could be checked`;
  }
  if (strategy.tasksAtOnce === 'one') {
    return join === 'hedged' ? `${strategy.name} starts no task beside another, however slow that is` : null;
  }
  return holdsMainThread(workload, strategy)
    ? `${workload.name} holds the main thread in ${strategy.name}: all tasks have run before a result is seen, and none can be stopped`
    : null;
}

/** Why a pool can't be used; `null` when it can. */
export function poolRefusal(
  workload: WorkloadDeclaration,
  { name, runsOn, isolate }: StrategyDeclaration,
  pool: Pool,
): string | null {
  if (pool === 'cold' || runsOn !== 'main-thread' || isolate || sendsRequests(workload)) return null;
  return `${workload.name} in ${name} makes no worker, isolate or connection that could be kept`;
}

/** Why a runtime can't be used; `null` when it can. */
export function runtimeRefusal({ isolate }: StrategyDeclaration, { noIsolates }: Runtime): string | null {
  return isolate ? noIsolates : null;
}

/** Whether tasks send requests, which can be tried again. */
export function sendsRequests({ accesses, clients }: WorkloadDeclaration): boolean {
  return accesses.length > 0 || clients.length > 0;
}
