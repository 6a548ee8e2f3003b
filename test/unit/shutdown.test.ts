import { expect, it } from 'vitest';
import { takeSteps } from '../../src/shutdown.ts';

it('takes every step in order, whatever one of them does, and says which failed', async () => {
  const taken: string[] = [];
  const logged: unknown[] = [];
  const log = { error: (fields: unknown) => void logged.push(fields) };
  const thrown = new Error('thrown');
  const rejected = new Error('rejected');
  const steps = [
    () => taken.push('at once'),
    () => {
      taken.push('throws');
      throw thrown;
    },
    async () => {
      taken.push('rejects');
      throw rejected;
    },
    () => {
      taken.push('never ends');
      return new Promise(() => {});
    },
    async () => {
      await Promise.resolve();
      taken.push('waits');
    },
    () => taken.push('last'),
  ];
  expect(await takeSteps(log, steps, 20)).toBe(false);
  expect(taken).toEqual(['at once', 'throws', 'rejects', 'never ends', 'waits', 'last']);
  expect(logged).toEqual([{ err: thrown }, { err: rejected }]);
});

it('is content with steps that end or are left behind', async () => {
  const log = { error: () => expect.unreachable() };
  expect(await takeSteps(log, [() => 1, () => new Promise(() => {})], 20)).toBe(true);
});
