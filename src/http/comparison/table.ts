import { shareNames } from '../../bench/shares.ts';
import type { ComparisonView, ResultView } from './view.ts';

/** A table: a title a column, and rows of as many cells. */
export interface Table {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

type CellView = ComparisonView['cells'][number];

/** The verdicts of a cell, a strategy a row, the fastest first. */
export function verdictTable({ results }: CellView, baseline: string): Table {
  return {
    titles: ['strategy', 'median ms', '95 % CI', `× ${baseline}`, '95 % CI', 'p', 'verdict', 'CPU ms'],
    rows: bySpeed(results).map((result) => [
      result.strategy,
      figure(result.medianMs),
      range(result.medianCiMs),
      figure(result.speedup),
      range(result.speedupCi),
      probability(result.pValue),
      result.verdict,
      figure(result.costs.cpuMs),
    ]),
  };
}

/** Where the time of each strategy went, in milliseconds of the critical path. */
export function shareTable({ results }: CellView): Table {
  const measured = bySpeed(results).filter(({ shares }) => shares !== null);
  const used = shareNames.filter((name) => measured.some(({ shares }) => (shares?.[name] ?? 0) >= 0.0005));
  return {
    titles: ['mean ms in', ...used, 'limit', 'efficiency'],
    rows: measured.map(({ strategy, shares, analysis }) => [
      strategy,
      ...used.map((name) => figure(shares?.[name] ?? null)),
      figure(analysis?.limitMs ?? null),
      figure(analysis?.efficiency ?? null),
    ]),
  };
}

/** What the comparison was, in a line. */
export function headline({ comparison, machine }: ComparisonView): string {
  const runtimes = Object.entries(machine.runtimes).map(([name, version]) => `${name} (${version})`);
  const target = machine.emulator === null ? machine.target : `emulator at ${machine.emulator.latencyMs} ms`;
  return [
    `${comparison.workload}: ${comparison.rounds} ${comparison.rounds === 1 ? 'round' : 'rounds'}${words[comparison.stoppedBy]}, seed ${comparison.seed}`,
    `${machine.cores} cores of ${machine.cpu}, load ${machine.load.before.loadAverage1m} before and ${machine.load.after.loadAverage1m} after`,
    `${runtimes.join(', ')}, target ${target}`,
  ].join('\n');
}

/** What tells a cell from the others. */
export function cellTitle({ params }: CellView): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** From where on which strategy is faster, a sentence each. */
export function crossoverLines({ comparison: { baseline }, crossovers }: ComparisonView): readonly string[] {
  return crossovers.map(({ strategy, axis, at, fasterFrom, fasterUpTo, verdicts }) => {
    const where = Object.entries(at).map(([name, value]) => ` with ${name}=${value}`);
    const tried = `${verdicts.map(({ value }) => value).join(', ')} were tried`;
    const found =
      fasterFrom !== null
        ? `is faster than ${baseline} from ${axis}=${fasterFrom} on`
        : fasterUpTo !== null
          ? `is faster than ${baseline} up to ${axis}=${fasterUpTo}`
          : `is not shown to be faster than ${baseline} at either end of ${axis}`;
    return `${strategy} ${found}${where.join('')} (${tried}).`;
  });
}

const words: Readonly<Record<ComparisonView['comparison']['stoppedBy'], string>> = {
  rounds: ', as asked for',
  precision: ', until every speed-up was known within ±5 %',
  budget: ', until the time for them was over (budgetMs)',
  max_calls: ': one more could have made more than MAX_CALLS calls',
  failures: ', until failures left nothing more to compare',
};

function bySpeed(results: readonly ResultView[]): readonly ResultView[] {
  return results.toSorted((a, b) => (a.medianMs ?? Infinity) - (b.medianMs ?? Infinity));
}

/** Three digits that say something. */
export function figure(value: number | null): string {
  if (value === null) return '-';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function range(pair: readonly [number, number] | null): string {
  return pair === null ? '-' : `${figure(pair[0])} … ${figure(pair[1])}`;
}

function probability(value: number | null): string {
  if (value === null) return '-';
  return value < 0.001 ? '<0.001' : String(Number(value.toPrecision(2)));
}
