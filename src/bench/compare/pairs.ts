import type { Sample } from './comparison.ts';

/** The rounds in which two strategies both have a sample that counts. */
export interface Pairs {
  readonly length: number;
  /** The two strategies' milliseconds, round by round. */
  readonly columns: readonly [readonly number[], readonly number[]];
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
