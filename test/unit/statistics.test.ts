import { describe, expect, it } from 'vitest';
import { holm, summarize, verdictOf, comparePaired, speedupOf } from '../../src/bench/statistics.ts';
import { enoughRounds, isPrecise, seededRandom, shuffled } from '../../src/bench/statistics.ts';
import { medianInterval } from '../../src/bench/statistics/median-interval.ts';
import { signedRank } from '../../src/bench/statistics/signed-rank.ts';
import { depression, maize, sleep } from '../support/textbook.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const subtract = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, index) => Math.round((value - (b[index] ?? Number.NaN)) * 1e6) / 1e6);

describe('describing samples', () => {
  it('quartiles are those of Hyndman & Fan’s type 7', () => {
    // numpy 2.4.6: percentile(x, [25, 50, 75])
    expect(summarize([3, 6, 7, 8, 8, 10, 13, 15, 16, 20])).toMatchObject({
      p25Ms: 7.25,
      medianMs: 9,
      p75Ms: 14.5,
    });
    expect(summarize(maize.crossed)).toMatchObject({ p25Ms: 19.75, medianMs: 21.5, p75Ms: 22.125 });
  });

  it('the interval of the median is that of the binomial distribution', () => {
    // scipy 1.17.1: quantile_test(x).confidence_interval(0.95)
    expect(summarize(maize.crossed).medianCiMs).toEqual([19.125, 22.125]);
    expect(summarize(maize.selfed).medianCiMs).toEqual([16.25, 18.625]);
  });

  it.each([
    // scipy 1.17.1: the largest k with binom.cdf(k - 1, n, 0.5) <= 0.025
    [6, 1],
    [8, 1],
    [9, 2],
    [10, 2],
    [15, 4],
    [20, 6],
    [25, 8],
    [30, 10],
    [50, 18],
    [100, 40],
    [200, 86],
    [1000, 469],
  ])('of %i samples it begins with number %i from either end', (count, rank) => {
    expect(medianInterval(upTo(count))).toEqual([rank, count + 1 - rank]);
  });

  it('below 6 samples there is no interval', () => {
    expect(upTo(5).map((count) => summarize(upTo(count)).medianCiMs)).toEqual([null, null, null, null, null]);
  });

  it('outliers are named by their index and stay in', () => {
    // Fences by hand: 19.75 - 1.5 × 2.375 and 22.125 + 1.5 × 2.375.
    expect(summarize(maize.crossed)).toMatchObject({ outliers: [1, 14], minMs: 12, maxMs: 23.5 });
    expect(summarize([1, 1, 1, 1, 2]).outliers).toEqual([4]);
    expect(summarize([7]).outliers).toEqual([]);
  });

  it('the fences are 1.5 distances of the quartiles away', () => {
    // Quartiles 11.25 and 13.75, so 17.5; and mirrored, 6.5.
    expect(summarize([10, 11, 12, 13, 14, 17.5]).outliers).toEqual([]);
    expect(summarize([10, 11, 12, 13, 14, 17.51]).outliers).toEqual([5]);
    expect(summarize([14, 13, 12, 11, 10, 6.5]).outliers).toEqual([]);
    expect(summarize([14, 13, 12, 11, 10, 6.49]).outliers).toEqual([5]);
  });

  it('samples keep their order', () => {
    const samples = [3, 1, 2];
    summarize(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  it.each([[[]], [[1, 0]], [[-1]], [[1, Number.NaN]], [[Number.POSITIVE_INFINITY]]])(
    '%j is refused',
    (samples) => {
      expect(() => summarize(samples)).toThrow(RangeError);
    },
  );
});

describe('Wilcoxon’s signed-rank test', () => {
  it('finds what Hollander & Wolfe give for depression before and after therapy', () => {
    // T+ = 5 of 45; P = 0.0195 one-sided, so 0.0390625. scipy 1.17.1: the same.
    const { pValue, rankBiserial } = signedRank(subtract(depression.after, depression.before));
    expect(pValue).toBeCloseTo(0.0390625, 12);
    expect(rankBiserial).toBeCloseTo((5 - 40) / 45, 12);
  });

  it('finds what is known of Darwin’s crossed and selfed maize', () => {
    // W = 24 of 120. scipy 1.17.1: wilcoxon(d, method='exact')
    const { pValue, rankBiserial } = signedRank(subtract(maize.crossed, maize.selfed));
    expect(pValue).toBeCloseTo(0.041259765625, 12);
    expect(rankBiserial).toBeCloseTo((96 - 24) / 120, 12);
  });

  it('a zero and ties leave Student’s sleep data exact', () => {
    // 9 of 9 above 0, so 2 / 2⁹. scipy 1.17.1: wilcoxon(d, zero_method='pratt', method=PermutationMethod(inf))
    const { pValue, rankBiserial } = signedRank(subtract(sleep.second, sleep.first));
    expect(pValue).toBeCloseTo(0.00390625, 12);
    expect(rankBiserial).toBe(1);
  });

  it('zeros are ranked before they are left out', () => {
    // scipy 1.17.1: 0.146484375 with zero_method='pratt' (0.1767578125 with 'wilcox'), PermutationMethod(inf)
    const { pValue, rankBiserial } = signedRank([0, 1, 1, -1, 2, 2, -2, 3, 3, 3, -4, 5]);
    expect(pValue).toBeCloseTo(0.146484375, 12);
    expect(rankBiserial).toBeCloseTo((57 - 20) / 77, 12);
  });

  it('is exact for 100 differences', () => {
    // scipy 1.17.1: method='exact' gives 0.003526003801650468, 'asymptotic' 0.003811558685634213
    expect(signedRank(everyThirdBelow(100)).pValue).toBeCloseTo(0.003526003801650468, 12);
    expect(signedRank(everyThirdBelow(30)).pValue).toBeCloseTo(0.17059839516878128, 12);
  });

  it('is the normal approximation with all corrections above that', () => {
    // scipy 1.17.1: wilcoxon(d, zero_method='pratt', correction=True, method='asymptotic'); 2 zeros, many ties
    const differences = upTo(150).map((one) => (((one - 1) * 37) % 101) - 40);
    const { pValue, rankBiserial } = signedRank(differences);
    expect(pValue / 0.0002460485560559194).toBeCloseTo(1, 6);
    expect(rankBiserial).toBeCloseTo((7615.5 - 3706.5) / (7615.5 + 3706.5), 12);
  });

  it.each([
    // Wilcoxon & Wilcox, Some Rapid Approximate Statistical Procedures (1964): two-sided 5 %
    [6, 0],
    [7, 2],
    [8, 3],
    [9, 5],
    [10, 8],
    [12, 13],
    [15, 25],
    [20, 52],
    [25, 89],
  ])('of %i ranks the critical value is %i', (count, critical) => {
    expect(signedRank(withNegativeSum(count, critical)).pValue).toBeLessThanOrEqual(0.05);
    expect(signedRank(withNegativeSum(count, critical + 1)).pValue).toBeGreaterThan(0.05);
  });

  it('no p-value is 0', () => {
    expect(signedRank(upTo(1000)).pValue).toBe(Number.EPSILON);
  });

  it('of 5 ranks none is critical', () => {
    expect(signedRank([1, 2, 3, 4, 5]).pValue).toBe(0.0625);
  });

  it('nothing but zeros shows nothing', () => {
    expect(signedRank([0, 0, 0])).toEqual({ pValue: 1, rankBiserial: 0 });
  });

  it('the last bits of a logarithm make no difference', () => {
    expect(
      signedRank([Math.log(2), Math.log(4) - Math.log(2), Math.log(3) - Math.log(6)]).rankBiserial,
    ).toBeCloseTo(1 / 3, 12);
    expect(signedRank([1e-15, -1e-15, 1e-15]).pValue).toBe(1);
  });
});

describe('Holm’s correction', () => {
  it.each([
    // statsmodels 0.15.0: multipletests(p, method='holm'); R: p.adjust(p, 'holm')
    [
      [0.01, 0.04, 0.03, 0.005],
      [0.03, 0.06, 0.06, 0.02],
    ],
    [
      [0.01, 0.02, 0.03, 0.04, 0.05],
      [0.05, 0.08, 0.09, 0.09, 0.09],
    ],
    [
      [0.7, 0.6],
      [1, 1],
    ],
    [[0.03], [0.03]],
    [[], []],
  ])('of %j is %j', (given, corrected) => {
    const found = holm(given);
    expect(found).toHaveLength(corrected.length);
    for (const [index, p] of corrected.entries()) expect(found[index]).toBeCloseTo(p, 12);
  });
});

describe('comparing two strategies', () => {
  it('uses the ratios of the rounds: Darwin’s maize', () => {
    // scipy 1.17.1 on crossed / selfed: median, quantile_test, wilcoxon of the logarithms (W = 27 of 120)
    const { speedup, speedupCi, pValue, effectSize } = comparePaired(maize.crossed, maize.selfed);
    expect(speedup).toBeCloseTo(1.1666666666666667, 12);
    expect(speedupCi?.[0]).toBeCloseTo(1.05, 12);
    expect(speedupCi?.[1]).toBeCloseTo(1.3525179856115108, 12);
    expect(pValue).toBeCloseTo(0.063720703125, 12);
    expect(effectSize).toBeCloseTo((93 - 27) / 120, 12);
  });

  it('uses the ratios of the rounds: Hollander & Wolfe’s depression', () => {
    const { speedup, speedupCi, pValue, effectSize } = comparePaired(depression.before, depression.after);
    expect(speedup).toBeCloseTo(1.4573643410852712, 12);
    expect(speedupCi?.[0]).toBeCloseTo(0.9745222929936306, 12);
    expect(speedupCi?.[1]).toBeCloseTo(2.0842824601366745, 12);
    expect(pValue).toBeCloseTo(0.0546875, 12);
    expect(effectSize).toBeCloseTo((39 - 6) / 45, 12);
  });

  it('of an even number the middle is the geometric mean of two', () => {
    expect(speedupOf([1, 4], [1, 1]).speedup).toBe(2);
    expect(speedupOf([1, 3], [1, 1]).speedup).toBeCloseTo(Math.sqrt(3), 12);
    expect(speedupOf([3, 3], [1, 1]).speedup).toBe(3);
  });

  it('samples that are not of the same rounds are refused', () => {
    expect(() => comparePaired([1, 2], [1])).toThrow(RangeError);
    expect(() => comparePaired([], [])).toThrow(RangeError);
    expect(() => speedupOf([1], [0])).toThrow(RangeError);
  });
});

describe('a verdict', () => {
  const faster = { speedup: 1.1, speedupCi: [1.05, 1.15], pValue: 0.01, effectSize: 0.8 } as const;
  const slower = { speedup: 0.9, speedupCi: [0.85, 0.95], pValue: 0.01, effectSize: -0.8 } as const;

  it('follows the interval when the corrected p-value is below the level', () => {
    expect(verdictOf(faster, 0.049)).toBe('faster');
    expect(verdictOf(slower, 0.049)).toBe('slower');
  });

  it('is not given at the level or above', () => {
    expect(verdictOf(faster, 0.05)).toBe('no difference shown');
    expect(verdictOf(faster, 0.02, 0.01)).toBe('no difference shown');
    expect(verdictOf(faster, Number.NaN)).toBe('no difference shown');
  });

  it('is not given while the interval contains 1', () => {
    expect(verdictOf({ ...faster, speedupCi: [1, 1.15] }, 0.01)).toBe('no difference shown');
    expect(verdictOf({ ...slower, speedupCi: [0.85, 1] }, 0.01)).toBe('no difference shown');
    expect(verdictOf({ ...faster, speedupCi: null }, 0.01)).toBe('no difference shown');
  });

  it('is not given while median and ranks point different ways', () => {
    expect(verdictOf({ ...faster, effectSize: -0.8 }, 0.01)).toBe('no difference shown');
    expect(verdictOf({ ...slower, effectSize: 0.8 }, 0.01)).toBe('no difference shown');
  });

  it('takes 6 rounds even where each is twice as fast', () => {
    const verdicts = upTo(7).map((rounds) => {
      const comparison = comparePaired(
        upTo(rounds).map((round) => 20 + round),
        upTo(rounds).map(() => 10),
      );
      return verdictOf(comparison, comparison.pValue);
    });
    expect(verdicts.slice(0, 5)).toEqual(Array(5).fill('no difference shown'));
    expect(verdicts.slice(5)).toEqual(['faster', 'faster']);
  });
});

describe('when there are enough rounds', () => {
  const precise = { speedup: 2, speedupCi: [1.91, 2.09] } as const;

  it('an interval is precise when both its ends are within the share', () => {
    expect(isPrecise(precise)).toBe(true);
    expect(isPrecise({ speedup: 2, speedupCi: [1.9, 2.09] })).toBe(false);
    expect(isPrecise({ speedup: 2, speedupCi: [1.91, 2.11] })).toBe(false);
    expect(isPrecise({ speedup: 2, speedupCi: [1.9, 2.11] }, 0.1)).toBe(true);
    expect(isPrecise({ speedup: 2, speedupCi: null })).toBe(false);
  });

  it('ten are the least, and every interval must be precise', () => {
    expect(enoughRounds([precise, precise], 9)).toBe(false);
    expect(enoughRounds([precise, precise], 10)).toBe(true);
    expect(enoughRounds([precise, { speedup: 2, speedupCi: [1, 3] }], 1000)).toBe(false);
  });
});

describe('the order of rounds', () => {
  it('a seed decides it', () => {
    const orderOf = (seed: number): number[] => shuffled(upTo(20), seededRandom(seed));
    expect(orderOf(7)).toEqual(orderOf(7));
    expect(orderOf(7)).not.toEqual(orderOf(8));
    expect(orderOf(7).toSorted((a, b) => a - b)).toEqual(upTo(20));
  });

  it('every order is about as likely', () => {
    const random = seededRandom(1);
    const counts = new Map<string, number>();
    for (const _ of upTo(6000)) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    // 1,000 expected of each, with a standard deviation of 29.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(115);
  });

  it('what is shuffled stays as it was', () => {
    const items = Object.freeze(['a', 'b', 'c']);
    shuffled(items, seededRandom(1));
    expect(items).toEqual(['a', 'b', 'c']);
  });
});

/** 1 to `count`, every third of them below 0. */
function everyThirdBelow(count: number): number[] {
  return upTo(count).map((value) => (value % 3 === 0 ? -value : value));
}

/** 1 to `count` with signs such that the negative ones add up to -`total`. */
function withNegativeSum(count: number, total: number): number[] {
  let left = total;
  return upTo(count)
    .toReversed()
    .map((value) => {
      if (value > left) return value;
      left -= value;
      return -value;
    });
}
