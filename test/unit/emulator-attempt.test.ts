import { describe, expect, it } from 'vitest';
import { attemptOf } from '../../src/emulator/latency.ts';

describe('which attempt a request is', () => {
  it.each([
    ['the first, when nothing says so', {}, 1],
    ['what the SDK says', { 'amz-sdk-request': 'attempt=3; max=5' }, 3],
    ['what a plain client says', { 'x-fanout-attempt': '2' }, 2],
    [
      'the first, when what is said is no number',
      { 'x-fanout-attempt': 'two', 'amz-sdk-request': 'ttl=1' },
      1,
    ],
  ])('is %s', (_what, headers, attempt) => {
    expect(attemptOf(headers)).toBe(attempt);
  });
});
