import type { ParameterProblem } from '../../errors.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { sendsRequests } from '../combinations.ts';
import type { World } from '../world.ts';
import type { CellPlan } from './comparison.ts';

/** How many calls a comparison may make; `null` where they cost nothing. */
export function maxCallsOf(workload: WorkloadDeclaration, { target, limits }: World): number | null {
  return target.name === 'aws' && sendsRequests(workload) ? limits.maxCalls : null;
}

/** Calls that cost money are not begun with where they could not make one whole round that counts. */
export function callsProblems(
  cells: readonly CellPlan[],
  warmup: number,
  maxCalls: number | null,
): readonly ParameterProblem[] {
  const aRound = cells
    .flatMap(({ plans }) => plans)
    .reduce((calls, { tasks, attempts }) => calls + tasks * attempts, 0);
  const calls = (warmup + 1) * aRound;
  if (maxCalls === null || calls <= maxCalls) return [];
  const warming = warmup === 0 ? '' : `, and with ${warmup} to warm up ${calls}`;
  const reason = `make up to ${aRound} calls a round${warming}; MAX_CALLS is ${maxCalls}`;
  const allowed = 'fewer strategies, values, tasks, attempts or rounds to warm up';
  return [{ field: 'strategies', value: null, reason, allowed }];
}
