import { array, assert, constantFrom, double, integer, property, tuple, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePaired,
  holm,
  isPrecise,
  seededRandom,
  shuffled,
  speedupOf,
  summarize,
  verdictOf,
  type PairedComparison,
} from '../../src/bench/statistics.ts';

type Round = [baselineMs: number, candidateMs: number];

/** Durations as they are, and few whole ones, so that ratios of 1 and equal ratios come up. */
const durationMs = (): Arbitrary<number> =>
  constantFrom('any', 'few').chain((kind) =>
    kind === 'any' ? double({ min: 0.01, max: 60_000, noNaN: true }) : integer({ min: 1, max: 4 }),
  );
const anyRounds = (least = 1): Arbitrary<Round[]> =>
  array(tuple(durationMs(), durationMs()), { minLength: least, maxLength: 120 });
const parameters = { seed: 1, numRuns: 300 };

describe('a comparison', () => {
  it('inverts when baseline and candidate are exchanged', () => {
    assert(
      property(anyRounds(), (rounds) => {
        const one = compared(rounds);
        const other = compared(rounds.map(([baseline, candidate]) => [candidate, baseline]));
        expectRatio(one.speedup * other.speedup, 1);
        expectRatio((one.speedupCi?.[0] ?? 1) * (other.speedupCi?.[1] ?? 1), 1);
        expectRatio((one.speedupCi?.[1] ?? 1) * (other.speedupCi?.[0] ?? 1), 1);
        expect(other.pValue).toBe(one.pValue);
        expect(other.effectSize).toBeCloseTo(-one.effectSize, 12);
        const inverse = { faster: 'slower', slower: 'faster', baseline: 'baseline' } as const;
        const verdict = verdictOf(one, one.pValue);
        expect(verdictOf(other, other.pValue)).toBe(
          verdict === 'no difference shown' ? verdict : inverse[verdict],
        );
      }),
      parameters,
    );
  });

  it('is as precise either way round', () => {
    const close = array(
      tuple(double({ min: 90, max: 110, noNaN: true }), double({ min: 90, max: 110, noNaN: true })),
      {
        minLength: 10,
        maxLength: 60,
      },
    );
    let precise = 0;
    assert(
      property(close, (rounds) => {
        const forward = isPrecise(compared(rounds));
        expect(isPrecise(compared(rounds.map(([a, b]) => [b, a])))).toBe(forward);
        if (forward) precise += 1;
      }),
      parameters,
    );
    expect(precise).toBeGreaterThan(20);
    expect(precise).toBeLessThan(280);
  });

  it('does not depend on the order of the rounds', () => {
    assert(
      property(anyRounds(), integer(), (rounds, seed) => {
        expect(compared(shuffled(rounds, seededRandom(seed)))).toEqual(compared(rounds));
      }),
      parameters,
    );
  });

  it('does not depend on the unit of time', () => {
    assert(
      property(anyRounds(), constantFrom(1e-3, 1 / 3, 7, 1000), (rounds, factor) => {
        const one = compared(rounds);
        const other = compared(
          rounds.map(([baseline, candidate]) => [baseline * factor, candidate * factor]),
        );
        expectRatio(other.speedup / one.speedup, 1);
        expect(other.pValue).toBeCloseTo(one.pValue, 10);
        expect(other.effectSize).toBeCloseTo(one.effectSize, 10);
      }),
      parameters,
    );
  });

  it('has the speed-up within its interval, and says nothing beyond its numbers', () => {
    assert(
      property(anyRounds(6), (rounds) => {
        const { speedup, speedupCi, pValue, effectSize } = compared(rounds);
        expect(speedupCi?.[0]).toBeLessThanOrEqual(speedup);
        expect(speedupCi?.[1]).toBeGreaterThanOrEqual(speedup);
        expect(pValue).toBeGreaterThan(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(Math.abs(effectSize)).toBeLessThanOrEqual(1);
      }),
      parameters,
    );
  });

  it('gives the same as its speed-up alone', () => {
    assert(
      property(anyRounds(), (rounds) => {
        expect(compared(rounds)).toMatchObject(speedupOf(rounds.map(first), rounds.map(second)));
      }),
      parameters,
    );
  });

  it.each([8, 20, 120])(
    'with labels permuted in %i rounds finds p-values that are about uniform',
    (count) => {
      const random = seededRandom(count);
      const repeats = 2000;
      const pValues = Array.from({ length: repeats }, () => {
        // Lognormal, and far from equal between rounds.
        const rounds = Array.from({ length: count }, (_, round): Round => [
          100 + round,
          (100 + round) * noise(random),
        ]);
        return compared(rounds.map(([a, b]) => (random() < 0.5 ? [a, b] : [b, a]))).pValue;
      });
      for (const level of [0.05, 0.1, 0.5]) {
        const share = pValues.filter((p) => p <= level).length / repeats;
        const deviation = Math.sqrt((level * (1 - level)) / repeats);
        // Never too many; with 8 rounds p has few values, so fewer than the level may be.
        expect(share).toBeLessThan(level + 4 * deviation);
        expect(share).toBeGreaterThan(count === 8 ? level / 2 : level - 4 * deviation - 0.01);
      }
    },
  );
});

describe('a description', () => {
  it('does not depend on the order, and its numbers are in theirs', () => {
    assert(
      property(array(durationMs(), { minLength: 6, maxLength: 60 }), integer(), (samples, seed) => {
        const { outliers, ...numbers } = summarize(samples);
        const { outliers: others, ...same } = summarize(shuffled(samples, seededRandom(seed)));
        expect(same).toEqual(numbers);
        expect(others).toHaveLength(outliers.length);
        const { minMs, p25Ms, medianMs, p75Ms, maxMs, medianCiMs } = numbers;
        expectAscending([minMs, p25Ms, medianMs, p75Ms, maxMs]);
        expectAscending([
          minMs,
          medianCiMs?.[0] ?? Number.NaN,
          medianMs,
          medianCiMs?.[1] ?? Number.NaN,
          maxMs,
        ]);
      }),
      parameters,
    );
  });
});

describe('Holm’s correction', () => {
  it('keeps the order, never lowers, and multiplies the least by their number', () => {
    const many = array(double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
    assert(
      property(many, integer(), (pValues, seed) => {
        const corrected = holm(pValues);
        const pairs = pValues.map((p, index) => [p, corrected[index] ?? Number.NaN] as const);
        for (const [p, after] of pairs) expect(after).toBeGreaterThanOrEqual(p);
        expectAscending(pairs.toSorted(([p], [q]) => p - q).map(second));
        expect(Math.min(...corrected)).toBe(Math.min(1, Math.min(...pValues) * pValues.length));
        const mixed = shuffled(pairs, seededRandom(seed));
        expect(holm(mixed.map(first))).toEqual(mixed.map(second));
      }),
      parameters,
    );
  });
});

function compared(rounds: readonly Round[]): PairedComparison {
  return comparePaired(rounds.map(first), rounds.map(second));
}

function first([one]: readonly [number, number]): number {
  return one;
}

function second([, other]: readonly [number, number]): number {
  return other;
}

/** A factor around 1, about as often above as below. */
function noise(random: () => number): number {
  return Math.exp((random() + random() + random() - 1.5) / 5);
}

function expectRatio(ratio: number, expected: number): void {
  expect(ratio).toBeCloseTo(expected, 12);
}

function expectAscending(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
}
