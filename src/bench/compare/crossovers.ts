import type { ParameterValue } from '../../record/plan.ts';
import type { Verdict } from '../statistics.ts';
import type { ComparisonPlan } from './comparison.ts';
import type { CellResult } from './results.ts';

/** Along a numeric parameter: from where on a strategy is faster than the baseline. */
export interface Crossover {
  readonly strategy: string;
  readonly axis: string;
  /** The other parameters of the grid, where there are any. */
  readonly at: Readonly<Record<string, ParameterValue>>;
  /** The smallest value from which on it is faster, at every value that was tried; `null`: there is none. */
  readonly fasterFrom: number | null;
  /** The largest value up to which it is faster, at every value that was tried; `null`: there is none. */
  readonly fasterUpTo: number | null;
  /** By value. */
  readonly verdicts: readonly { readonly value: number; readonly verdict: Verdict }[];
}

/** Every strategy along every numeric axis, for each combination of the other axes. */
export function crossoversOf(
  { axes, baseline }: Pick<ComparisonPlan, 'axes' | 'baseline'>,
  cells: readonly CellResult[],
): readonly Crossover[] {
  return Object.entries(axes)
    .filter(([, values]) => values.every((value) => typeof value === 'number'))
    .flatMap(([axis]) => {
      const others = Object.keys(axes).filter((name) => name !== axis);
      const lines = Map.groupBy(cells, ({ params }) =>
        JSON.stringify(Object.fromEntries(others.map((name) => [name, params[name]]))),
      );
      return [...lines].flatMap(([at, line]) => alongLine(axis, JSON.parse(at), line, baseline));
    });
}

function alongLine(
  axis: string,
  at: Crossover['at'],
  line: readonly CellResult[],
  baseline: string,
): readonly Crossover[] {
  const sorted = line.toSorted((a, b) => Number(a.params[axis]) - Number(b.params[axis]));
  const strategies = new Set(sorted.flatMap(({ results }) => results.map(({ strategy }) => strategy)));
  strategies.delete(baseline);
  return [...strategies].map((strategy) => {
    const verdicts = sorted.flatMap(({ params, results }) => {
      const result = results.find((other) => other.strategy === strategy);
      return result === undefined ? [] : [{ value: Number(params[axis]), verdict: result.verdict }];
    });
    const firstSlow = verdicts.findIndex(isSlow);
    const lastSlow = verdicts.findLastIndex(isSlow);
    return {
      strategy,
      axis,
      at,
      fasterFrom: verdicts[lastSlow + 1]?.value ?? null,
      fasterUpTo: (firstSlow < 0 ? verdicts.at(-1) : verdicts[firstSlow - 1])?.value ?? null,
      verdicts,
    };
  });
}

function isSlow({ verdict }: { readonly verdict: Verdict }): boolean {
  return verdict !== 'faster';
}
