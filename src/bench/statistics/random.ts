import { shuffle } from 'simple-statistics';

/**
 * Numbers from 0 up to 1 that a seed decides: mulberry32 (Tommy Ettinger, 2017, public domain). For the order of
 * rounds, not for secrets.
 *
 * @param seed a whole number; its lowest 32 bits count
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The items in a random order, each order as likely as any other (Fisher-Yates).
 *
 * @param random the next number from 0 up to 1
 */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return shuffle([...items], random);
}
