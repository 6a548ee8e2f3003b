import { medianInterval } from './median-interval.ts';
import { ascending, assertSamples } from './samples.ts';
import { signedRank } from './signed-rank.ts';

/** How many times as fast as the baseline a strategy is. */
export interface Speedup {
  /** The median of the rounds' baseline / candidate; above 1: the candidate is faster. */
  readonly speedup: number;
  /** At least 95 % confidence; `null` below 6 rounds. */
  readonly speedupCi: readonly [number, number] | null;
}

/** A strategy against the baseline. */
export interface PairedComparison extends Speedup {
  /** Of Wilcoxon's signed-rank test on the logarithms of the ratios: two-sided, not corrected for other comparisons. */
  readonly pValue: number;
  /** Matched-pairs rank-biserial correlation, from -1 to 1; above 0: the candidate is faster. */
  readonly effectSize: number;
}

/** What may be said of a strategy. `baseline` is what the others are compared with. */
export type Verdict = 'faster' | 'slower' | 'no difference shown' | 'baseline';

/**
 * The speed-up with its interval. Between two middle ratios the median is their geometric mean, and the interval's ends
 * are ratios of rounds, so that with baseline and candidate exchanged all three invert.
 *
 * @param baselineMs a sample a round
 * @param candidateMs the samples of the same rounds
 * @throws RangeError when there is no round, the numbers of samples differ, or one is not a finite number above 0
 */
export function speedupOf(baselineMs: readonly number[], candidateMs: readonly number[]): Speedup {
  const ratios = ascending(
    byRound(baselineMs, candidateMs).map(([baseline, candidate]) => baseline / candidate),
  );
  return { speedup: geometricMedian(ratios), speedupCi: medianInterval(ratios) };
}

/**
 * Compares a strategy with the baseline, paired by round: what slows a whole round down falls on both. Nothing is
 * assumed of the samples' distribution but, for the p-value, that without a difference each strategy is as likely to
 * have been the faster one of a round by any factor; the shuffled order within rounds sees to that.
 *
 * @param baselineMs a sample a round
 * @param candidateMs the samples of the same rounds
 * @throws RangeError when there is no round, the numbers of samples differ, or one is not a finite number above 0
 */
export function comparePaired(
  baselineMs: readonly number[],
  candidateMs: readonly number[],
): PairedComparison {
  const rounds = byRound(baselineMs, candidateMs);
  // A difference of logarithms changes nothing but its sign when the two are exchanged; that of a quotient might.
  const { pValue, rankBiserial } = signedRank(
    rounds.map(([baseline, candidate]) => Math.log(baseline) - Math.log(candidate)),
  );
  return { ...speedupOf(baselineMs, candidateMs), pValue, effectSize: rankBiserial };
}

/**
 * Says that there is a difference only when all agree: the corrected p-value is below `alpha`, the interval of the
 * speed-up does not contain 1, and the effect points the same way. Below 6 rounds that is impossible: there is no
 * interval, and no p-value below 0.05.
 *
 * @param correctedP the comparison's p-value corrected for the number of comparisons, by `holm`
 * @param alpha the level of significance, 0.05 unless given
 */
export function verdictOf(comparison: PairedComparison, correctedP: number, alpha = 0.05): Verdict {
  const { speedupCi, effectSize } = comparison;
  if (speedupCi === null || !(correctedP < alpha)) return 'no difference shown';
  const [lowest, highest] = speedupCi;
  if (lowest > 1 && effectSize > 0) return 'faster';
  if (highest < 1 && effectSize < 0) return 'slower';
  return 'no difference shown';
}

function byRound(baselineMs: readonly number[], candidateMs: readonly number[]): [number, number][] {
  assertSamples(baselineMs);
  assertSamples(candidateMs);
  if (baselineMs.length !== candidateMs.length)
    throw new RangeError(`${baselineMs.length} samples can't be paired with ${candidateMs.length}`);
  return baselineMs.map((ms, round) => [ms, candidateMs[round] ?? Number.NaN]);
}

function geometricMedian(sorted: readonly number[]): number {
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (lower === undefined || upper === undefined) return Number.NaN;
  // The root of a square may be off in its last bit.
  return lower === upper ? lower : Math.sqrt(lower) * Math.sqrt(upper);
}
