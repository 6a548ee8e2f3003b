import { quantileSorted } from 'simple-statistics';
import { medianInterval } from './median-interval.ts';
import { ascending, assertSamples } from './samples.ts';

/** One strategy's samples described, in milliseconds. */
export interface SampleSummary {
  readonly medianMs: number;
  /** At least 95 % confidence; `null` below 6 samples. */
  readonly medianCiMs: readonly [number, number] | null;
  readonly p25Ms: number;
  readonly p75Ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Indices of the samples outside Tukey's fences, in the order given. They are part of all other numbers. */
  readonly outliers: readonly number[];
}

/**
 * Describes samples. Median and quartiles interpolate linearly between order statistics: type 7 of Hyndman & Fan
 * (Sample Quantiles in Statistical Packages, 1996), the default of R and NumPy. Outliers lie more than 1.5 times the
 * distance of the quartiles outside of them (Tukey, Exploratory Data Analysis, 1977, with those quartiles for hinges).
 *
 * @param samplesMs at least one, in the order they were taken
 * @throws RangeError when there is none, or one is not a finite number above 0
 */
export function summarize(samplesMs: readonly number[]): SampleSummary {
  assertSamples(samplesMs);
  const sorted = ascending(samplesMs);
  const [p25Ms, p75Ms] = [quantileSorted(sorted, 0.25), quantileSorted(sorted, 0.75)];
  const reachMs = 1.5 * (p75Ms - p25Ms);
  return {
    medianMs: quantileSorted(sorted, 0.5),
    medianCiMs: medianInterval(sorted),
    p25Ms,
    p75Ms,
    minMs: quantileSorted(sorted, 0),
    maxMs: quantileSorted(sorted, 1),
    outliers: samplesMs.flatMap((ms, index) => (ms < p25Ms - reachMs || ms > p75Ms + reachMs ? [index] : [])),
  };
}
