import type { Speedup } from './paired.ts';

/** The least number of rounds of `rounds=auto`. */
const leastRounds = 10;

/**
 * Whether both ends of the interval are within a share of the speed-up: neither more than `1 + within` times it, nor it
 * more than `1 + within` times them. As a ratio, so that it doesn't matter which strategy is the baseline.
 *
 * @param within 0.05 unless given: ±5 %
 * @returns `false` without an interval
 */
export function isPrecise({ speedup, speedupCi }: Speedup, within = 0.05): boolean {
  if (speedupCi === null) return false;
  const [lowest, highest] = speedupCi;
  return highest / speedup <= 1 + within && speedup / lowest <= 1 + within;
}

/**
 * The rule by which `rounds=auto` stops: at least 10 rounds, and every interval within ±5 % of its speed-up. Time that
 * is spent is the caller's to watch.
 *
 * To look after each round and to stop once a p-value is small would find differences where there are none (Armitage,
 * McPherson & Rowe, Repeated Significance Tests on Accumulating Data, 1969). This rule never sees a p-value: it stops
 * when the interval is narrow, wherever it lies (Chow & Robbins, On the Asymptotic Theory of Fixed-Width Sequential
 * Confidence Intervals, 1965). Nobody can stop earlier on a difference than on its absence.
 *
 * @param comparisons each strategy against the baseline, over all rounds so far
 * @param rounds how many that are, without those to warm up
 */
export function enoughRounds(comparisons: readonly Speedup[], rounds: number): boolean {
  return rounds >= leastRounds && comparisons.every((comparison) => isPrecise(comparison));
}
