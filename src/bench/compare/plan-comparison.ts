import type { ParameterProblem } from '../../errors.ts';
import type { ParameterValue, RunPlan, Warning } from '../../record/plan.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { planRun, refusalOf, workloadNamed, type RunRequest } from '../plan.ts';
import { baselineOf } from '../strategies-of.ts';
import type { World } from '../world.ts';
import { callsProblems, maxCallsOf } from './call-budget.ts';
import type { CellPlan, ComparisonPlan } from './comparison.ts';
import { axesOf, combinations, gridProblem, splitLists } from './grid.ts';
import { LeftOut, ofStrategy, planFor, skipped } from './left-out.ts';
import { resolveOwn } from './own-parameters.ts';

/**
 * Resolves a request into a comparison. Parameters that have no effect on a strategy are left out for that strategy; a
 * strategy that can't be had with the parameters of a cell is left out of that cell, unless it was asked for by name.
 *
 * @param alsoTaken parameters of the request that are no business of the plan, to be named where one is unknown
 * @throws BenchError `unknown_workload`; `invalid_parameter` or `unsupported_combination` with all problems at once;
 *   `not_configured`
 */
export function planComparison(
  request: RunRequest,
  world: World,
  alsoTaken: readonly string[] = [],
): ComparisonPlan {
  const workload = workloadNamed(request.workload, world);
  const own = resolveOwn(request, workload, world);
  const {
    given: forRuns,
    axes,
    problems: listProblems,
  } = splitLists(request.given, workload, world, alsoTaken);
  const problems = [...request.problems, ...own.problems, ...listProblems];
  const tooLarge = gridProblem(axes, own.strategies.length);
  // Not worked out at all: a URL has room for millions of combinations.
  if (tooLarge !== null) throw refusalOf([...problems, tooLarge], true);
  const named = request.given['strategies'] !== undefined;
  const warnings: Warning[] = [];
  const cells: CellPlan[] = [];
  const refused: ParameterProblem[] = [];
  const leftOut = new LeftOut();
  for (const axisValues of combinations(axes)) {
    const given = { ...forRuns, ...axisValues };
    const plans = own.strategies.flatMap((strategy): RunPlan[] => {
      const planned = planFor(strategy, given, workload, world);
      if ('plan' in planned) {
        leftOut.note(strategy, given, planned.without);
        return [planned.plan];
      }
      // What is wrong in itself is wrong for every strategy.
      if (planned.syntactic) problems.push(...planned.problems);
      else if (named || strategy === own.baseline)
        refused.push(...planned.problems.map(ofStrategy(strategy)));
      else warnings.push(skipped(strategy, planned.problems));
      return [];
    });
    const [first] = plans;
    if (first === undefined) continue;
    cells.push({
      params: paramsOf(first, given, workload),
      plans,
      alone: workload.work === 'cpu' ? aloneOf(plans, workload, world) : null,
    });
  }
  const maxCalls = maxCallsOf(workload, world);
  refused.push(...leftOut.everywhere, ...callsProblems(cells, own.warmup, maxCalls));
  const all = distinct([...problems, ...refused]);
  if (all.length > 0) throw refusalOf(all, problems.length > 0);
  return {
    workload: workload.name,
    baseline: own.baseline,
    rounds: own.rounds,
    warmup: own.warmup,
    budgetMs: own.budgetMs,
    seed: own.seed,
    cells,
    axes: axesOf(axes, workload, world),
    maxCalls,
    warnings: distinct([...warnings, ...leftOut.warnings]),
  };
}

/** What tells a cell: everything that was given, and the workload's own parameters with their defaults. */
function paramsOf(
  plan: RunPlan,
  given: RunRequest['given'],
  workload: WorkloadDeclaration,
): CellPlan['params'] {
  const { tasks, pool, join, runtime, params } = plan;
  const asked = Object.fromEntries(
    Object.entries(given)
      .filter(([field]) => !Object.hasOwn(workload.params, field))
      .map(([field, text]) => [field, valueOf(text)]),
  );
  return { ...asked, tasks, pool: given['pool'] ?? pool, join, runtime, ...params };
}

/** One task on a main thread, by the baseline; `null` where the workload can't be had with it. */
function aloneOf(plans: readonly RunPlan[], workload: WorkloadDeclaration, world: World): RunPlan | null {
  const [plan] = plans;
  const baseline = baselineOf(workload, world);
  if (plan === undefined || baseline === null) return null;
  const { runtime, timeoutMs, params } = plan;
  const given = Object.fromEntries(
    Object.entries({ ...params, runtime, timeoutMs, strategy: baseline.name, tasks: 1 }).map(
      ([field, value]) => [field, String(value)],
    ),
  );
  return planRun({ workload: workload.name, given, problems: [] }, world);
}

function valueOf(text: string): ParameterValue {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
