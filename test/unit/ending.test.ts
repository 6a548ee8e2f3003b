import { expect, it } from 'vitest';
import { Ending } from '../../src/bench/ending.ts';

/** Resolves with the reason that a signal fires with. */
function reasonOf(signal: AbortSignal): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  if (signal.aborted) resolve(signal.reason);
  signal.addEventListener('abort', () => resolve(signal.reason));
  return promise;
}

it('ends all that runs, whatever client it has, and what comes later', async () => {
  const ending = new Ending();
  const running = [1, 2].map(() => ending.withSignal(new AbortController().signal, reasonOf));
  ending.end('the end');
  expect(await Promise.all(running)).toEqual(['the end', 'the end']);
  expect(await ending.withSignal(new AbortController().signal, reasonOf)).toBe('the end');
});

it('ends one whose client goes away, or has gone, and no other', async () => {
  const ending = new Ending();
  const [one, other] = [new AbortController(), new AbortController()];
  const [ended, runs] = [one, other].map(({ signal }) => ending.withSignal(signal, reasonOf));
  one.abort('gone');
  expect(await ended).toBe('gone');
  expect(await ending.withSignal(one.signal, reasonOf)).toBe('gone');
  ending.end('the end');
  expect(await runs).toBe('the end');
});

it('forgets what has ended, well or not', async () => {
  const ending = new Ending();
  const client = new AbortController();
  const signals: AbortSignal[] = [];
  const note = (signal: AbortSignal): void => void signals.push(signal);
  await ending.withSignal(client.signal, async (signal) => note(signal));
  const failing = ending.withSignal(client.signal, async (signal) => {
    note(signal);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  client.abort('gone');
  ending.end('the end');
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
});
