import type { ParameterProblem } from '../../errors.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { unknownParameter, type RunRequest } from '../plan.ts';
import type { World } from '../world.ts';
import type { ComparisonPlan } from './comparison.ts';
import { comparisonParametersOf } from './parameters.ts';

/** A grid may have so many runs a round. */
const mostRunsARound = 500;

type Given = RunRequest['given'];

/** By parameter, those with more than one value. */
export type Axes = Readonly<Record<string, readonly string[]>>;

interface Split {
  /** The parameters with one value. */
  readonly given: Given;
  readonly axes: Axes;
  readonly problems: readonly ParameterProblem[];
}

/** The parameters of runs, the lists among them apart. */
export function splitLists(
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
export function combinations(axes: Axes): Given[] {
  return Object.entries(axes).reduce<Given[]>(
    (cells, [field, values]) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [field]: value }))),
    [{}],
  );
}

/** Why a grid is too large, before strategies are left out of its cells; `null` when it is not. */
export function gridProblem(axes: Axes, strategies: number): ParameterProblem | null {
  const runs = Object.values(axes).reduce((product, values) => product * values.length, strategies);
  if (runs <= mostRunsARound) return null;
  const reason = `make ${runs} runs a round; ${mostRunsARound} is the most`;
  return { field: Object.keys(axes).join(','), value: null, reason, allowed: 'fewer values' };
}

/** The axes as a comparison tells them: values of numeric parameters are numbers. */
export function axesOf(axes: Axes, workload: WorkloadDeclaration, world: World): ComparisonPlan['axes'] {
  const declared = comparisonParametersOf(workload, world);
  return Object.fromEntries(
    Object.entries(axes).map(([field, values]) => {
      const declaration = declared[field];
      const isNumeric = declaration?.kind === 'list' && declaration.items.kind === 'integer';
      return [field, isNumeric ? values.map(Number) : values];
    }),
  );
}
