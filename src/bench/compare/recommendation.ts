import { comparePaired, holm, verdictOf } from '../statistics.ts';
import { shareNames } from '../shares.ts';
import type { ComparisonRecord, Sample } from './comparison.ts';
import type { Crossover } from './crossovers.ts';
import { canShowDifference, pairsOf } from './pairs.ts';
import type { CellResult, Costs, StrategyResult } from './results.ts';

/** What to use, and why; made from the recorded numbers alone. */
export interface Recommendation {
  /** `null`: nothing was measured. */
  readonly strategy: string | null;
  readonly reasons: readonly string[];
}

/**
 * Recommends for one cell the cheapest of the strategies that are not shown to be slower than the fastest: what costs
 * fewer processes, then threads, then CPU time. Nothing is faster by a bare median: where no strategy is shown to be
 * faster than the baseline, it is the baseline.
 */
export function recommend(
  { cells }: ComparisonRecord,
  index: number,
  { results, params }: CellResult,
  crossovers: readonly Crossover[],
): Recommendation {
  const samples = cells[index]?.samples ?? new Map<string, readonly Sample[]>();
  const measured = results.filter(isMeasured);
  const baseline = measured.find(({ verdict }) => verdict === 'baseline');
  if (baseline === undefined) return { strategy: null, reasons: ['The baseline has no sample.'] };
  const faster = measured.filter(({ verdict }) => verdict === 'faster');
  const fastest = faster.toSorted((a, b) => a.medianMs - b.medianMs)[0];
  if (fastest === undefined) {
    return {
      strategy: baseline.strategy,
      reasons: [
        `No strategy is shown to be faster than ${baseline.strategy}.${tooFew(baseline, measured)}`,
        costReason(baseline),
        ...whatIsPossible(baseline, measured),
        ...changes(baseline, params, crossovers),
      ],
    };
  }
  const rivals = faster.filter((other) => other !== fastest);
  const equals = notSlower(fastest, rivals, samples);
  const chosen = [fastest, ...equals].toSorted(byCost)[0] ?? fastest;
  const others = [fastest, ...equals].filter((other) => other !== chosen);
  return {
    strategy: chosen.strategy,
    reasons: [
      speedReason(chosen, baseline),
      ...others.map((other) => equalReason(chosen, other)),
      costReason(chosen),
      ...whereTimeWent(chosen),
      ...whatIsPossible(chosen, measured),
      ...changes(chosen, params, crossovers),
    ],
  };
}

type Measured = StrategyResult & { readonly medianMs: number };

function isMeasured(result: StrategyResult): result is Measured {
  return result.medianMs !== null;
}

/** Those that are not shown to be slower than the fastest, corrected for how many there are. */
function notSlower(
  fastest: Measured,
  rivals: readonly Measured[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): readonly Measured[] {
  const comparisons = rivals.flatMap((rival) => {
    const pairs = pairsOf(samples, fastest.strategy, rival.strategy);
    return pairs.length === 0 ? [] : [{ rival, comparison: comparePaired(...pairs.columns) }];
  });
  const corrected = holm(comparisons.map(({ comparison }) => comparison.pValue));
  return comparisons.flatMap(({ rival, comparison }, place) =>
    verdictOf(comparison, corrected[place] ?? 1) === 'slower' ? [] : [rival],
  );
}

function byCost(a: Measured, b: Measured): number {
  return (
    a.costs.processes - b.costs.processes ||
    a.costs.threads - b.costs.threads ||
    (a.costs.cpuMs ?? 0) - (b.costs.cpuMs ?? 0) ||
    a.medianMs - b.medianMs
  );
}

/** The speed-up is the median of the rounds' own ratios, not the ratio of the medians. */
function speedReason({ strategy, speedup, speedupCi, medianMs }: Measured, baseline: Measured): string {
  const range = speedupCi === null ? '' : ` (95 % sure: ${number(speedupCi[0])} to ${number(speedupCi[1])})`;
  return `${strategy} is ${number(speedup ?? 1)} times as fast as ${baseline.strategy}, round by round${range}; the medians are ${number(medianMs)} and ${number(baseline.medianMs)} ms.`;
}

function equalReason(chosen: Measured, other: Measured): string {
  return `${other.strategy} (${number(other.medianMs)} ms) is not shown to differ from ${chosen.strategy}, and costs ${costs(other.costs)}.`;
}

function costReason({ strategy, costs: spent }: Measured): string {
  return `A run of ${strategy} costs ${costs(spent)}.`;
}

function costs({ cpuMs, threads, processes, isolates }: Costs): string {
  const made = [counted(threads, 'thread'), counted(processes, 'process'), counted(isolates, 'isolate')];
  const workers = made.filter((part) => part !== null).join(', ');
  return `${cpuMs === null ? 'CPU time that is not known' : `${number(cpuMs)} ms of CPU time`} and ${workers === '' ? 'no worker' : workers}`;
}

function counted(count: number, what: string): string | null {
  if (count === 0) return null;
  return count === 1 ? `1 ${what}` : `${count} ${what.endsWith('s') ? `${what}es` : `${what}s`}`;
}

const shareWords: Readonly<Record<(typeof shareNames)[number], string>> = {
  signing: 'signing requests',
  queue: 'waiting for their turn',
  prepare: 'making workers, isolates or clients',
  run: 'the tasks themselves',
  contention: 'tasks that took longer than one alone, on shared cores or in code not compiled yet',
  handBack: 'handing results back',
  other: 'everything else',
};

/** What to change is what takes the time. */
function whereTimeWent({ strategy, shares }: Measured): readonly string[] {
  if (shares === null) return [];
  const total = shareNames.reduce((sum, name) => sum + shares[name], 0);
  const parts = shareNames
    .map((name) => ({ name, part: total === 0 ? 0 : shares[name] / total }))
    .filter(({ part }) => part >= 0.05)
    .toSorted((a, b) => b.part - a.part)
    .map(({ name, part }) => `${Math.round(part * 100)} % ${shareWords[name]}`);
  return parts.length === 0 ? [] : [`Where the time of ${strategy} goes: ${parts.join(', ')}.`];
}

/** Where nothing is shown because nothing could be. */
function tooFew({ samplesMs }: Measured, measured: readonly Measured[]): string {
  if (canShowDifference(samplesMs.length, measured.length - 1)) return '';
  const rounds = samplesMs.length === 1 ? '1 round' : `${samplesMs.length} rounds`;
  return ` With ${rounds} none could be, however fast.`;
}

/**
 * How near it is to what no strategy can beat. Of waiting and I/O each strategy has found a limit of its own, the
 * slowest answer or task while it ran; what one of them was held to is possible for all.
 */
function whatIsPossible({ medianMs }: Measured, measured: readonly Measured[]): readonly string[] {
  const limits = measured.flatMap(({ analysis }) => analysis?.limitMs ?? []);
  if (limits.length === 0) return [];
  const limitMs = Math.min(...limits);
  const efficiency = limitMs / medianMs;
  const limit = `The physical limit is ${number(limitMs)} ms, so it is at ${Math.round(100 * efficiency)} % of what is possible`;
  return [efficiency >= 0.8 ? `${limit}: no strategy can be much faster.` : `${limit}.`];
}

/** What would change the answer, as far as the grid or the shares tell. */
function changes(
  { strategy, shares, medianMs, costs: { threads, processes, isolates } }: Measured,
  params: CellResult['params'],
  crossovers: readonly Crossover[],
): readonly string[] {
  const along = crossovers.filter(
    (crossover) =>
      crossover.strategy === strategy &&
      Object.entries(crossover.at).every(([name, value]) => params[name] === value),
  );
  const turns = along.flatMap(({ axis, fasterFrom, fasterUpTo, verdicts }) => {
    const [first, last] = [verdicts[0]?.value, verdicts.at(-1)?.value];
    if (fasterFrom !== null && fasterFrom !== first) return [`It is faster from ${axis}=${fasterFrom} on.`];
    if (fasterUpTo !== null && fasterUpTo !== last) return [`It is faster up to ${axis}=${fasterUpTo}.`];
    return fasterFrom === null ? [] : [`It is faster at every ${axis} that was tried, ${first} to ${last}.`];
  });
  const preparing = shares === null ? 0 : shares.prepare / medianMs;
  const warmer =
    params['pool'] === 'cold' && preparing >= 0.2 && threads + processes + isolates > 0
      ? ['pool=warm, which keeps what is made for a run, would save most of what making it takes.']
      : [];
  return [...turns, ...warmer];
}

/** Three digits that say something. */
function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
