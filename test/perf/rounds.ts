import { shuffled } from '../../src/bench/statistics.ts';
import type { Settings } from './figure.ts';

/** One of the ways that a round compares, and what it gave so far, a sample a round. */
export interface Way<Sample> {
  readonly name: string;
  readonly samples: Sample[];
  /** @param kept whether the sample counts: that of the warm-up round does not */
  measure(kept: boolean): Promise<void>;
}

/** @param take measures once */
export function way<Sample>(name: string, take: () => Promise<Sample>): Way<Sample> {
  const samples: Sample[] = [];
  return {
    name,
    samples,
    async measure(kept) {
      const sample = await take();
      if (kept) samples.push(sample);
    },
  };
}

/**
 * Measures ways round by round, each round in a new order, so that what changes on the machine meanwhile falls on
 * all of them. The first rounds warm up and are not kept: V8 compiles what is hot over tens of runs.
 */
export async function interleave(
  ways: readonly Pick<Way<unknown>, 'measure'>[],
  { rounds, warmups, random }: Settings,
): Promise<void> {
  for (let round = 0; round < warmups + rounds; round += 1) {
    for (const each of shuffled(ways, random)) await each.measure(round >= warmups);
  }
}
