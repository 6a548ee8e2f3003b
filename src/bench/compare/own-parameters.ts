import { randomInt } from 'node:crypto';
import type { ParameterProblem } from '../../errors.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { sendsRequests } from '../combinations.ts';
import { didYouMean } from '../nearest-name.ts';
import { allowedBy } from '../parameters.ts';
import { integerProblem, type RunRequest } from '../plan.ts';
import { strategyNames } from '../strategies-of.ts';
import type { World } from '../world.ts';
import { comparisonParametersOf } from './parameters.ts';

/** The parameters of a comparison itself, resolved, with what is wrong with those that were given. */
export interface OwnParameters {
  readonly strategies: readonly string[];
  readonly baseline: string;
  readonly rounds: number | 'auto';
  readonly warmup: number;
  readonly budgetMs: number;
  readonly seed: number;
  readonly problems: readonly ParameterProblem[];
}

/** Resolves what a comparison itself takes; what can't be had stands at its default, beside its problem. */
export function resolveOwn(
  { given }: RunRequest,
  workload: WorkloadDeclaration,
  world: World,
): OwnParameters {
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
