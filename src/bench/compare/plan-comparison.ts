import { randomInt } from 'node:crypto';
import { BenchError, inWords, type ParameterProblem } from '../../errors.ts';
import type { ParameterValue, RunPlan, Warning } from '../../record/plan.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { allowedBy } from '../parameters.ts';
import {
  integerProblem,
  planRun,
  refusalOf,
  unknownParameter,
  workloadNamed,
  type RunRequest,
} from '../plan.ts';
import { sendsRequests } from '../combinations.ts';
import { didYouMean } from '../nearest-name.ts';
import { baselineOf, strategyNames } from '../strategies-of.ts';
import type { World } from '../world.ts';
import type { CellPlan, ComparisonPlan } from './comparison.ts';
import { comparisonParametersOf } from './parameters.ts';

/** A grid may have so many runs a round. */
const mostRunsARound = 500;
/** What a strategy may do without: it has no effect on it, or means the same left out. */
const dispensable = new Set(['client', 'concurrency', 'pool']);

type Given = RunRequest['given'];

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
      else if (named || strategy === own.baseline) refused.push(...planned.problems.map(of(strategy)));
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
  const maxCalls = world.target.name === 'aws' && sendsRequests(workload) ? world.limits.maxCalls : null;
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

interface Own {
  readonly strategies: readonly string[];
  readonly baseline: string;
  readonly rounds: number | 'auto';
  readonly warmup: number;
  readonly budgetMs: number;
  readonly seed: number;
  readonly problems: readonly ParameterProblem[];
}

/** The parameters of the comparison itself. */
function resolveOwn({ given }: RunRequest, workload: WorkloadDeclaration, world: World): Own {
  const declared = comparisonParametersOf(workload, world);
  const { possible, refused } = strategyNames(workload, world);
  const problems: ParameterProblem[] = [];
  const refuse = (field: string, reason: string, allowed: ParameterProblem['allowed']): void =>
    void problems.push({ field, value: given[field] ?? null, reason, allowed });

  const whole = (field: string, fallback: number): number => {
    const text = given[field];
    const declaration = declared[field];
    if (text === undefined || (declaration?.kind !== 'integer' && declaration?.kind !== 'number-or-word'))
      return fallback;
    const reason = integerProblem(text, declaration.minimum, declaration.maximum);
    if (reason === null) return Number(text);
    refuse(field, reason, allowedBy(declaration));
    return fallback;
  };

  const strategies = given['strategies']?.split(',') ?? possible;
  const known = [...possible, ...refused];
  for (const strategy of strategies) {
    if (!known.includes(strategy)) {
      refuse(
        'strategies',
        strategy === ''
          ? 'has an empty name'
          : `"${strategy}" is not a strategy${didYouMean(strategy, possible)}`,
        possible,
      );
    }
  }
  if (new Set(strategies).size < strategies.length) refuse('strategies', 'names one twice', 'each once');
  const fallback = declared['baseline']?.kind === 'choice' ? declared['baseline'].default : '';
  const baseline = given['baseline'] ?? fallback;
  if (!possible.includes(baseline))
    refuse('baseline', `is not a strategy that can be had${didYouMean(baseline, possible)}`, possible);
  const others = strategies.filter((strategy) => strategy !== baseline);
  if (others.length === 0) refuse('strategies', 'leaves nothing to compare with the baseline', possible);

  const isAuto = given['rounds'] === undefined || given['rounds'] === 'auto';
  const rounds = isAuto ? 'auto' : whole('rounds', 10);
  if (!isAuto && given['budgetMs'] !== undefined)
    refuse('budgetMs', 'has an effect with rounds=auto only', 'leave it out');
  if (isAuto && world.target.name === 'aws' && sendsRequests(workload))
    refuse('rounds', 'must be given with TARGET=aws, where each call costs money', '1 … 1000');
  return {
    // In the registries' order, the baseline where it stands there.
    strategies: known.filter((name) => name === baseline || strategies.includes(name)),
    baseline,
    rounds,
    warmup: whole('warmup', 1),
    budgetMs: whole('budgetMs', 25_000),
    seed: whole('seed', randomInt(2 ** 31)),
    problems,
  };
}

interface Split {
  readonly given: Given;
  /** By parameter, those with more than one value. */
  readonly axes: Readonly<Record<string, readonly string[]>>;
  readonly problems: readonly ParameterProblem[];
}

/** The parameters of runs, the lists among them apart. */
function splitLists(
  given: Given,
  workload: WorkloadDeclaration,
  world: World,
  alsoTaken: readonly string[],
): Split {
  const declared = comparisonParametersOf(workload, world);
  const names = [...Object.keys(declared), ...alsoTaken];
  const scalars: Record<string, string> = {};
  const axes: Record<string, readonly string[]> = {};
  const problems: ParameterProblem[] = [];
  for (const [field, text] of Object.entries(given)) {
    const declaration = declared[field];
    if (field === 'strategy') {
      const reason = 'is not a parameter of a comparison; did you mean "strategies"?';
      problems.push({ field, value: text, reason, allowed: names });
      continue;
    }
    if (declaration === undefined) {
      problems.push(unknownParameter(field, text, workload, world, names));
      continue;
    }
    if (declaration.kind !== 'list' || field === 'strategies') continue;
    const values = text.split(',');
    if (values.length === 1) scalars[field] = text;
    else if (new Set(values).size < values.length)
      problems.push({ field, value: text, reason: 'names a value twice', allowed: 'each once' });
    else axes[field] = values;
  }
  return { given: scalars, axes, problems };
}

/** Every combination of the axes' values, the last axis changing first. */
function combinations(axes: Split['axes']): Given[] {
  return Object.entries(axes).reduce<Given[]>(
    (cells, [field, values]) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [field]: value }))),
    [{}],
  );
}

/** Why a grid is too large, before strategies are left out of its cells; `null` when it is not. */
function gridProblem(axes: Split['axes'], strategies: number): ParameterProblem | null {
  const runs = Object.values(axes).reduce((product, values) => product * values.length, strategies);
  if (runs <= mostRunsARound) return null;
  const reason = `make ${runs} runs a round; ${mostRunsARound} is the most`;
  return { field: Object.keys(axes).join(','), value: null, reason, allowed: 'fewer values' };
}

/** Calls that cost money are not begun with where they could not make one whole round that counts. */
function callsProblems(
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

/** Which parameters were left out for which strategies, and which were of use to none. */
class LeftOut {
  readonly #taken = new Set<string>();
  readonly #problems: { readonly strategy: string; readonly problem: ParameterProblem }[] = [];

  note(strategy: string, given: Given, problems: readonly ParameterProblem[]): void {
    const without = new Set(problems.map(({ field }) => field));
    for (const field of Object.keys(given)) if (!without.has(field)) this.#taken.add(field);
    this.#problems.push(...problems.map((problem) => ({ strategy, problem })));
  }

  /** What has no effect on one strategy at all is not what was asked for. */
  get everywhere(): readonly ParameterProblem[] {
    return this.#problems
      .filter(({ problem: { field } }) => !this.#taken.has(field))
      .map(({ strategy, problem }) => of(strategy)(problem));
  }

  get warnings(): readonly Warning[] {
    return this.#problems.map(({ strategy, problem: { field, value, reason } }) => ({
      code: 'parameter_left_out',
      message: `${strategy} runs without ${field}=${value}: ${reason}.`,
    }));
  }
}

type Planned =
  | { readonly plan: RunPlan; readonly without: readonly ParameterProblem[] }
  | { readonly problems: readonly ParameterProblem[]; readonly syntactic: boolean };

/** A strategy's run; what has no effect on it is left out. */
function planFor(strategy: string, given: Given, workload: WorkloadDeclaration, world: World): Planned {
  const attempt = (parameters: Given): RunPlan =>
    planRun({ workload: workload.name, given: { ...parameters, strategy }, problems: [] }, world);
  try {
    return { plan: attempt(given), without: [] };
  } catch (error) {
    if (!(error instanceof BenchError) || error.code === 'not_configured') throw error;
    const { problems } = error;
    if (error.code === 'invalid_parameter') return { problems, syntactic: true };
    if (!problems.every(({ field }) => dispensable.has(field))) return { problems, syntactic: false };
    const without = new Set(problems.map(({ field }) => field));
    const rest = Object.fromEntries(Object.entries(given).filter(([field]) => !without.has(field)));
    return { plan: attempt(rest), without: problems };
  }
}

function skipped(strategy: string, problems: readonly ParameterProblem[]): Warning {
  return { code: 'strategy_left_out', message: `${strategy} is left out: ${inWords(problems)}.` };
}

function of(strategy: string): (problem: ParameterProblem) => ParameterProblem {
  return (problem) =>
    problem.field === 'strategy'
      ? { ...problem, field: 'strategies', value: strategy }
      : { ...problem, reason: `${problem.reason} (${strategy})` };
}

/** What tells a cell: everything that was given, and the workload's own parameters with their defaults. */
function paramsOf(plan: RunPlan, given: Given, workload: WorkloadDeclaration): CellPlan['params'] {
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

function axesOf(axes: Split['axes'], workload: WorkloadDeclaration, world: World): ComparisonPlan['axes'] {
  const declared = comparisonParametersOf(workload, world);
  return Object.fromEntries(
    Object.entries(axes).map(([field, values]) => {
      const declaration = declared[field];
      const isNumeric = declaration?.kind === 'list' && declaration.items.kind === 'integer';
      return [field, isNumeric ? values.map(Number) : values];
    }),
  );
}

function valueOf(text: string): ParameterValue {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function distinct<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
