import { BenchError, inWords, type ParameterProblem } from '../../errors.ts';
import type { RunPlan, Warning } from '../../record/plan.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { planRun, type RunRequest } from '../plan.ts';
import type { World } from '../world.ts';

/** What a strategy may do without: it has no effect on it, or means the same left out. */
const dispensable = new Set(['client', 'concurrency', 'pool']);

type Given = RunRequest['given'];

type Planned =
  | { readonly plan: RunPlan; readonly without: readonly ParameterProblem[] }
  | { readonly problems: readonly ParameterProblem[]; readonly syntactic: boolean };

/** A strategy's run; what has no effect on it is left out. */
export function planFor(
  strategy: string,
  given: Given,
  workload: WorkloadDeclaration,
  world: World,
): Planned {
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

/** What is said of a strategy that can't be had. */
export function skipped(strategy: string, problems: readonly ParameterProblem[]): Warning {
  return { code: 'strategy_left_out', message: `${strategy} is left out: ${inWords(problems)}.` };
}

/** A problem of a strategy's run, as one of the comparison. */
export function ofStrategy(strategy: string): (problem: ParameterProblem) => ParameterProblem {
  return (problem) =>
    problem.field === 'strategy'
      ? { ...problem, field: 'strategies', value: strategy }
      : { ...problem, reason: `${problem.reason} (${strategy})` };
}

/** Which parameters were left out for which strategies, and which were of use to none. */
export class LeftOut {
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
      .map(({ strategy, problem }) => ofStrategy(strategy)(problem));
  }

  get warnings(): readonly Warning[] {
    return this.#problems.map(({ strategy, problem: { field, value, reason } }) => ({
      code: 'parameter_left_out',
      message: `${strategy} runs without ${field}=${value}: ${reason}.`,
    }));
  }
}
