import { describe, expect, it } from 'vitest';
import { seededRandom, shuffled } from '../../src/bench/statistics.ts';
import { recordedNoise } from '../perf/noise/noise.ts';
import { simulateComparison } from '../perf/simulated-comparison.ts';

const { series } = recordedNoise();
const quiet = { workload: 'quiet', query: '', medianMs: 100, deviations: Array<number>(100).fill(0) };

describe('trust in comparisons, on recorded noise', () => {
  it('the noise is that of CPU work, of waiting and of I/O', () => {
    expect(series.map(({ workload }) => workload)).toEqual(['fib', 'sleep', 's3']);
  });

  it.each(series)('$workload: of 100 comparisons with itself at least 93 show no difference', (noise) => {
    expect(verdictsOf(noise, 1).get('no difference shown')).toBeGreaterThanOrEqual(93);
  });

  it.each(series)('$workload: of 100 comparisons at least 90 show that 10 % more is slower', (noise) => {
    const verdicts = verdictsOf(noise, 1.1);
    expect(verdicts.get('slower')).toBeGreaterThanOrEqual(90);
    expect(verdicts.get('faster')).toBeUndefined();
  });

  it.each(series)('$workload: of 100 comparisons at least 90 show that 10 % less is faster', (noise) => {
    const verdicts = verdictsOf(noise, 1 / 1.1);
    expect(verdicts.get('faster')).toBeGreaterThanOrEqual(90);
    expect(verdicts.get('slower')).toBeUndefined();
  });
});

describe('a simulated comparison', () => {
  it('a seed decides it', () => {
    const [noise = quiet] = series;
    const roundsOf = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => simulateComparison(noise, [1], random).rounds);
    };
    expect(roundsOf(3)).toEqual(roundsOf(3));
    expect(roundsOf(3)).not.toEqual(roundsOf(4));
  });

  it('without noise takes ten rounds and finds what is there', () => {
    expect(simulateComparison(quiet, [1, 1.1, 1 / 1.1], seededRandom(1))).toEqual({
      verdicts: ['no difference shown', 'slower', 'faster'],
      rounds: 10,
      stoppedBy: 'precision',
    });
  });

  it('ends when the time is spent', () => {
    const slow = { ...quiet, medianMs: 2000 };
    expect(simulateComparison(slow, [1], seededRandom(1))).toMatchObject({ rounds: 7, stoppedBy: 'budget' });
  });

  it('keeps what lasts from run to run, and pairs cancel it', () => {
    const waves = Array.from({ length: 400 }, (_, run) => 0.3 * Math.sin(run / 50));
    const drifting = { ...quiet, medianMs: 10, deviations: waves };
    const mixed = { ...drifting, deviations: shuffled(waves, seededRandom(1)) };
    expect(simulateComparison(drifting, [1], seededRandom(1)).rounds).toBe(10);
    expect(simulateComparison(mixed, [1], seededRandom(1)).rounds).toBeGreaterThan(100);
  });
});

/** How often each verdict came of 100 comparisons. The seed is fixed: over others the counts vary by a few. */
function verdictsOf(noise: (typeof series)[number], factor: number): Map<string, number> {
  const random = seededRandom(1);
  const counts = new Map<string, number>();
  for (let repeat = 0; repeat < 100; repeat += 1) {
    const [verdict = 'none'] = simulateComparison(noise, [factor], random).verdicts;
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return counts;
}
