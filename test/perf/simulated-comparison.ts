import {
  comparePaired,
  enoughRounds,
  holm,
  shuffled,
  speedupOf,
  verdictOf,
  type Verdict,
} from '../../src/bench/statistics.ts';
import type { NoiseSeries } from './noise/noise.ts';

/** How a comparison ended. */
export interface SimulatedComparison {
  /** Of each candidate. */
  readonly verdicts: readonly Verdict[];
  readonly rounds: number;
  readonly stoppedBy: 'precision' | 'budget';
}

const budgetMs = 25_000;

/** Enough for what lasts from one run to the next ones. */
const blockLength = 20;

/**
 * Compares one strategy under several names as `rounds=auto` does, on a clock that only its runs move on: in each round
 * a run of each in shuffled order, until there are enough or 25 s are spent. A run takes the recorded median and what
 * the next recorded run deviated from it. These come in blocks of 20 successive ones from random places, so that the
 * dependence of a run on those before it is kept (circular block bootstrap: Politis & Romano 1992).
 *
 * @param factors how many times as long as the baseline each candidate takes; 1: there is no difference
 */
export function simulateComparison(
  noise: NoiseSeries,
  factors: readonly number[],
  random: () => number,
): SimulatedComparison {
  const deviation = inBlocks(noise.deviations, random);
  const baseline: number[] = [];
  const candidates = factors.map((factor) => ({ factor, samplesMs: [] as number[] }));
  const all = [{ factor: 1, samplesMs: baseline }, ...candidates];
  let nowMs = 0;
  let enough = false;
  while (!enough && nowMs < budgetMs) {
    for (const { factor, samplesMs } of shuffled(all, random)) {
      const durationMs = noise.medianMs * (1 + deviation()) * factor;
      samplesMs.push(durationMs);
      nowMs += durationMs;
    }
    const speedups = candidates.map(({ samplesMs }) => speedupOf(baseline, samplesMs));
    enough = enoughRounds(speedups, baseline.length);
  }
  const comparisons = candidates.map(({ samplesMs }) => comparePaired(baseline, samplesMs));
  const corrected = holm(comparisons.map(({ pValue }) => pValue));
  return {
    verdicts: comparisons.map((comparison, index) => verdictOf(comparison, corrected[index] ?? Number.NaN)),
    rounds: baseline.length,
    stoppedBy: enough ? 'precision' : 'budget',
  };
}

/** The next of some numbers, which are taken in blocks. */
function inBlocks(numbers: readonly number[], random: () => number): () => number {
  let taken = 0;
  let start = 0;
  return () => {
    const within = taken % blockLength;
    if (within === 0) start = Math.floor(random() * numbers.length);
    taken += 1;
    return numbers[(start + within) % numbers.length] ?? Number.NaN;
  };
}
