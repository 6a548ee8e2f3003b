import { errorFunction } from 'simple-statistics';
import { ascending } from './samples.ts';

/** What Wilcoxon's signed-rank test finds in paired differences. */
export interface SignedRank {
  /** Two-sided, uncorrected. */
  readonly pValue: number;
  /** From -1, every difference below 0, to 1, every difference above 0. */
  readonly rankBiserial: number;
}

/**
 * Wilcoxon's signed-rank test (Individual Comparisons by Ranking Methods, 1945) of the hypothesis that differences lie
 * symmetrically about 0. Equal sizes share their mean rank; differences of 0 are ranked and then left out (Pratt,
 * Remarks on Zeros and Ties in the Wilcoxon Signed Rank Procedures, 1959). Up to 100 differences the p-value is exact
 * given those ranks, ties included: all 2ⁿ signs are as likely as each other. Above, it is the normal approximation
 * with the variance of those very ranks (which is the correction for ties and zeros) and for continuity.
 *
 * The effect size is the matched-pairs rank-biserial correlation: the difference of the positive and negative rank
 * sums over the sum of both (Kerby, The Simple Difference Formula, 2014). It is 0 when every difference is.
 */
export function signedRank(differences: readonly number[]): SignedRank {
  const { positive, negative } = doubledRanks(differences);
  const [above, below] = [sum(positive), sum(negative)];
  const ranks = [...positive, ...negative];
  const smaller = Math.min(above, below);
  return {
    pValue: Math.min(1, ranks.length <= 100 ? exactP(ranks, smaller) : approximateP(ranks, smaller)),
    rankBiserial: ranks.length === 0 ? 0 : (above - below) / (above + below),
  };
}

/** Twice the ranks of the sizes, so that the half ranks of ties are whole numbers. */
function doubledRanks(differences: readonly number[]): { positive: number[]; negative: number[] } {
  const rounded = differences.map(withoutRoundingNoise);
  const sizes = ascending(rounded.map(Math.abs));
  const rankOf = (size: number): number => sizes.indexOf(size) + sizes.lastIndexOf(size) + 2;
  return {
    positive: rounded.filter((value) => value > 0).map(rankOf),
    negative: rounded.filter((value) => value < 0).map((value) => rankOf(-value)),
  };
}

/** Sizes that only the last bits of their logarithms tell apart are ties. */
function withoutRoundingNoise(difference: number): number {
  return Math.sign(difference) * (Math.round(Math.abs(difference) * 1e12) / 1e12);
}

/**
 * Twice the probability that ranks with random signs have a sum at most as large as `smaller`. The distribution of
 * the sum is built rank by rank: each is in it or not, with ½ each.
 */
function exactP(ranks: readonly number[], smaller: number): number {
  const probabilities = new Float64Array(smaller + 1);
  probabilities[0] = 1;
  for (const rank of ranks) {
    for (let total = smaller; total >= 0; total -= 1) {
      probabilities[total] = ((probabilities[total] ?? 0) + (probabilities[total - rank] ?? 0)) / 2;
    }
  }
  return 2 * sum(probabilities);
}

/** Works on doubled ranks, so a half for continuity is 1. */
function approximateP(ranks: readonly number[], smaller: number): number {
  const mean = sum(ranks) / 2;
  const deviation = Math.sqrt(sum(ranks.map((rank) => rank ** 2)) / 4);
  const z = Math.max(0, mean - smaller - 1) / deviation;
  // Beyond that the error function can't be told from 1; no p-value is 0.
  return Math.max(Number.EPSILON, 1 - errorFunction(z * Math.SQRT1_2));
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
