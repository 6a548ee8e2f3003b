import { createHash } from 'node:crypto';

/** So many English sentences, always the same ones for the same seed. */
export function proseOf(seed: string, sentences: number): string {
  const picks = createHash('shake256', { outputLength: sentences * slots.length })
    .update(seed)
    .digest();
  return Array.from({ length: sentences }, (_, index) =>
    sentenceOf(picks.subarray(index * slots.length)),
  ).join(' ');
}

/** One of a list, always the same one for the same seed. */
export function pickOf<T>(seed: string, [first, ...rest]: readonly [T, ...T[]]): T {
  const pick = createHash('sha256').update(seed).digest().readUInt16BE(0) % (rest.length + 1);
  return rest[pick - 1] ?? first;
}

/** A sentence is one of each, in this order. */
const slots: readonly (readonly string[])[] = [
  [
    'In practice,',
    'As a rule,',
    'By contrast,',
    'Measured over a day,',
    'For most teams,',
    'At first sight,',
  ],
  [
    'a pool of warm workers',
    'the slowest answer',
    'a shared connection',
    'the queue in front of it',
    'a fresh process',
    'one event loop',
  ],
  ['decides', 'hides', 'shortens', 'explains', 'dominates', 'hardly changes'],
  [
    'the time that a user waits',
    'the cost of each call',
    'how far the work spreads',
    'what a retry is worth',
    'the tail of the distribution',
  ],
  [
    'when many tasks start at once.',
    'unless the calls are independent.',
    'once the first byte is there.',
    'whatever the payload weighs.',
    'as long as nothing else runs.',
  ],
];

function sentenceOf(picks: Uint8Array): string {
  return slots.map((words, slot) => words[(picks[slot] ?? 0) % words.length]).join(' ');
}
