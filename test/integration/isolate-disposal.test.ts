import type ivm from 'isolated-vm';
import { beforeEach, expect, it, vi } from 'vitest';
import { makeIsolate, makeIsolateHere } from '../../src/execution/isolate-run.ts';

const made = vi.hoisted<{ readonly isDisposed: boolean }[]>(() => []);
vi.mock('isolated-vm', async (original) => {
  const { default: actual } = await original<{ default: typeof ivm }>();
  /** Every isolate is a real one, and noted. */
  function Isolate(options: ivm.IsolateOptions): ivm.Isolate {
    const isolate = new actual.Isolate(options);
    made.push(isolate);
    return isolate;
  }
  return { default: { ...actual, Isolate } };
});
beforeEach(() => void made.splice(0));

it.each([
  ['on the calling thread', async (source: string) => makeIsolateHere(source)],
  ['on a thread of its own', (source: string) => makeIsolate(source, new AbortController().signal)],
])('an isolate whose source throws %s is disposed', async (_, make) => {
  await expect(make('throw new Error("not today")')).rejects.toThrow('not today');
  await expect(make('no source at all')).rejects.toThrow('Unexpected identifier');
  expect(made.map(({ isDisposed }) => isDisposed)).toEqual([true, true]);
});
