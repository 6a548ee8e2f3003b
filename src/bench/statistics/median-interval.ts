import { binomialDistribution } from 'simple-statistics';

/**
 * The interval of at least 95 % confidence for a median, free of any assumption about the distribution: from the k-th
 * smallest to the k-th largest sample, where k is the largest with P(B < k) ≤ 2.5 % for B binomial(n, ½) (Thompson
 * 1936; Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2; David & Nagaraja, Order Statistics, 7.1).
 * Nothing is interpolated, so it covers more than it says rather than less: 97.9 % for 10 samples.
 *
 * @param sorted the samples, the least first
 * @returns `null` below 6 samples: not even the least and the largest are 95 % sure to have the median between them
 */
export function medianInterval(sorted: readonly number[]): readonly [number, number] | null {
  const rank = intervalRank(sorted.length);
  const [lowest, highest] = [sorted[rank - 1], sorted[sorted.length - rank]];
  return lowest === undefined || highest === undefined ? null : [lowest, highest];
}

/** How many samples in from both ends the interval begins: 1 is the outermost, 0: there is none. */
function intervalRank(count: number): number {
  const probabilities = binomialDistribution(count, 0.5) ?? [];
  let below = 0;
  return probabilities.findIndex((probability) => (below += probability) > 0.025);
}
