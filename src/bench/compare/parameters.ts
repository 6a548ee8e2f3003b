import type { ListParameter, NumberOrWordParameter, ParameterDeclaration } from '../../record/parameters.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { integer, parametersOf } from '../parameters.ts';
import { baselineOf, strategyNames } from '../strategies-of.ts';
import type { World } from '../world.ts';

/** Everything that a query can be made of. */
export type ComparisonParameter = ParameterDeclaration | ListParameter | NumberOrWordParameter;

const defaultBudgetMs = 25_000;

/**
 * Every parameter that the comparison of a workload takes, as plain data: its own, and those of a run but `strategy`,
 * each of which may be a list.
 */
export function comparisonParametersOf(
  workload: WorkloadDeclaration,
  world: World,
): Readonly<Record<string, ComparisonParameter>> {
  const { strategy, ...ofRun } = parametersOf(workload, world);
  const names = strategyNames(workload, world).possible;
  return {
    strategies: {
      kind: 'list',
      summary: 'Which strategies; all that are possible by default.',
      items: { kind: 'choice', summary: strategy?.summary ?? '', values: names, default: names[0] ?? '' },
      default: null,
    },
    baseline: {
      kind: 'choice',
      summary: 'What the others are compared with.',
      values: names,
      default: baselineOf(workload, world)?.name ?? names[0] ?? '',
    },
    rounds: {
      kind: 'number-or-word',
      summary:
        'How often every strategy runs: auto goes on, 10 rounds at least, until every speed-up is known within ±5 % or budgetMs is spent.',
      word: 'auto',
      minimum: 1,
      maximum: 1_000,
      default: 'auto',
    },
    warmup: integer('How many rounds before the first that counts.', 0, 10, 1),
    seed: integer(
      'Decides the order of the strategies in each round; drawn by default.',
      0,
      2 ** 31 - 1,
      null,
    ),
    budgetMs: integer('How long rounds=auto may go on, in milliseconds.', 1, 600_000, defaultBudgetMs),
    ...Object.fromEntries(
      Object.entries(ofRun).map(([name, declaration]) => [
        name,
        { kind: 'list', summary: declaration.summary, items: declaration, default: declaration.default },
      ]),
    ),
  };
}
