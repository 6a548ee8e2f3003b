import type { Sample } from './comparison.ts';

/** The rounds in which two strategies both have a sample that counts. */
export interface Pairs {
  readonly length: number;
  /** The two strategies' milliseconds, round by round. */
  readonly columns: readonly [readonly number[], readonly number[]];
}

/**
 * Whether so many rounds can show a difference at all: there is an interval from 6 on, and the least p-value of the
 * signed-rank test is 2 / 2ⁿ, which Holm's correction multiplies by the number of strategies.
 *
 * @param strategies how many are compared with the baseline
 */
export function canShowDifference(rounds: number, strategies: number): boolean {
  return rounds >= 6 && 2 ** (1 - rounds) * strategies < 0.05;
}

export function pairsOf(
  samples: ReadonlyMap<string, readonly Sample[]>,
  baseline: string,
  strategy: string,
): Pairs {
  const byRound = new Map(samples.get(baseline)?.map(({ round, durationMs }) => [round, durationMs]));
  const pairs = (samples.get(strategy) ?? []).flatMap(({ round, durationMs }): [number, number][] => {
    const baselineMs = byRound.get(round) ?? null;
    return baselineMs === null || durationMs === null ? [] : [[baselineMs, durationMs]];
  });
  return {
    length: pairs.length,
    columns: [pairs.map(([baselineMs]) => baselineMs), pairs.map(([, strategyMs]) => strategyMs)],
  };
}
