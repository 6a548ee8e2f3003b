import { spreadOf, type Figure, type FigureGroup, type Settings } from '../figure.ts';
import { recordedNoise, type NoiseSeries } from '../noise/noise.ts';
import { simulateComparison, type SimulatedComparison } from '../simulated-comparison.ts';
import { median } from '../statistics.ts';

/**
 * Whether comparisons can be trusted: how often they find a difference where there is none, and how often they miss one
 * of 10 %, on noise recorded from real runs and a clock that only simulated runs move on. A round is a hundred
 * comparisons, so that the spread shows how much the count depends on luck.
 */
export const trust: FigureGroup = {
  name: 'trust',
  measure: (settings) =>
    Promise.resolve(
      recordedNoise().series.flatMap((noise) => [
        wrong(`${noise.workload}, the same under two names: said to differ`, noise, [1], 7, settings),
        wrong(`${noise.workload}, one 10 % slower: not said`, noise, [1.1], 10, settings),
        wrong(
          `  … ${noise.workload}, the same under seven names: any said to differ`,
          noise,
          six,
          null,
          settings,
        ),
      ]),
    ),
};

/** All strategies but the baseline. */
const six = [1, 1, 1, 1, 1, 1];
const repeats = 100;

/** @param factors how many times as long as the baseline each candidate takes */
function wrong(
  name: string,
  noise: NoiseSeries,
  factors: readonly number[],
  atMost: number | null,
  { rounds, random }: Settings,
): Figure {
  const hundreds = Array.from({ length: rounds }, () =>
    Array.from({ length: repeats }, () => simulateComparison(noise, factors, random)),
  );
  const wrongly = hundreds.map((hundred) => hundred.filter((one) => !isRight(one, factors)).length);
  const comparisons = hundreds.flat();
  const roundsUsed = comparisons.map((one) => one.rounds);
  const { least, most } = spreadOf(roundsUsed);
  const stopped = comparisons.filter(({ stoppedBy }) => stoppedBy === 'budget').length;
  return {
    name,
    unit: 'of 100',
    measured: median(wrongly),
    spread: spreadOf(wrongly),
    atMost,
    note: `after ${least} … ${median(roundsUsed)} … ${most} rounds, ${stopped} of ${comparisons.length} for lack of time`,
    samples: { 'wrong of 100': wrongly, rounds: roundsUsed },
  };
}

function isRight({ verdicts }: SimulatedComparison, factors: readonly number[]): boolean {
  return factors.every(
    (factor, index) => verdicts[index] === (factor === 1 ? 'no difference shown' : 'slower'),
  );
}
