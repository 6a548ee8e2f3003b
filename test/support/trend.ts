import { median } from 'simple-statistics';

/**
 * By how much a series went up from its start to its end, as a share of its level (its median): 0 for a flat one, 0.1
 * for one that gained a tenth.
 *
 * The slope is the median of the slopes between all pairs of points (Theil-Sen; P. K. Sen, "Estimates of the
 * regression coefficient based on Kendall's tau", JASA 63, 1968), which a few points far off do not change.
 *
 * @param values at even distances, at least two
 */
export function growthOf(values: readonly number[]): number {
  const slopes = values.flatMap((from, first) =>
    values.slice(first + 1).map((to, distance) => (to - from) / (distance + 1)),
  );
  return (median(slopes) * (values.length - 1)) / median([...values]);
}
