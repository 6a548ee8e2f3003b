import type { Access } from '../record/plan.ts';
import type { StrategyDeclaration } from '../strategies/declaration.ts';
import { runtimeRefusal } from './combinations.ts';
import { perWorld } from './per-world.ts';
import type { World } from './world.ts';

/** A strategy as a workload's users name it, with why it can't be used (`null` when it can). */
export interface NamedStrategy {
  /** `async`, or with an access `presigned-async`. */
  readonly name: string;
  readonly access: Access | null;
  readonly declaration: StrategyDeclaration;
  readonly refusal: string | null;
}

/** Every strategy that a workload could have, possible or not, in the registries' order. */
export const strategiesOf = perWorld((workload, { strategies, runtimes }): readonly NamedStrategy[] => {
  const accesses: readonly (Access | null)[] = workload.accesses.length === 0 ? [null] : workload.accesses;
  return accesses.flatMap((access) =>
    strategies.map(({ declaration }) => ({
      name: access === null ? declaration.name : `${access}-${declaration.name}`,
      access,
      declaration,
      refusal:
        (access === null ? null : declaration.refusedAccesses[access]) ??
        nowherePossible(declaration, runtimes),
    })),
  );
});

/** Why no runtime can be used, in the words of the first; `null` when one can. */
function nowherePossible(declaration: StrategyDeclaration, runtimes: World['runtimes']): string | null {
  const refusals = runtimes.map((runtime) => runtimeRefusal(declaration, runtime));
  return refusals.includes(null) ? null : (refusals[0] ?? null);
}

/** What comparisons of a workload start from, unless they are told: the first way there is to have the baseline. */
export const baselineOf = perWorld((workload, world): NamedStrategy | null => {
  const all = strategiesOf(workload, world);
  return all.find(({ declaration, refusal }) => declaration.baseline && refusal === null) ?? null;
});

export const strategyNames = perWorld(
  (workload, world): { readonly possible: readonly string[]; readonly refused: readonly string[] } => {
    const all = strategiesOf(workload, world);
    return {
      possible: all.filter(({ refusal }) => refusal === null).map(({ name }) => name),
      refused: all.filter(({ refusal }) => refusal !== null).map(({ name }) => name),
    };
  },
);
