import { describe, expect, it, vi } from 'vitest';
import { Shelf } from '../../src/execution/shelf.ts';

function shelfOf({ mostIdle = 10, alive = () => true }: { mostIdle?: number; alive?: () => boolean } = {}) {
  const disposed: string[] = [];
  const shelf = new Shelf<string>({
    mostIdle,
    idleMs: 1_000,
    dispose: (item) => void disposed.push(item),
    isAlive: alive,
  });
  const make = (name: string, key = 'k') => shelf.takeOrMake(key, () => name);
  return { shelf, disposed, make };
}

describe('a shelf', () => {
  it('gives the one that was used last, and only what was made alike', () => {
    const { shelf, make } = shelfOf();
    for (const name of ['a', 'b']) make(name);
    for (const name of ['a', 'b']) shelf.give('k', name);
    expect(make('other', 'another key')).toEqual({ item: 'other', reused: false });
    expect(make('new')).toEqual({ item: 'b', reused: true });
    expect(make('new')).toEqual({ item: 'a', reused: true });
    expect(make('new')).toEqual({ item: 'new', reused: false });
  });

  it('keeps nothing without a key', () => {
    const { shelf, disposed } = shelfOf();
    const { item } = shelf.takeOrMake(null, () => 'cold');
    shelf.giveOrDispose(null, item);
    expect([disposed, shelf.take('k')]).toEqual([['cold'], null]);
  });

  it('disposes the one that has lain longest where too many lie', () => {
    const { shelf, disposed, make } = shelfOf({ mostIdle: 2 });
    for (const name of ['a', 'b', 'c']) make(name);
    for (const name of ['a', 'b', 'c']) shelf.give('k', name);
    expect(disposed).toEqual(['a']);
  });

  it('makes room for what is made: those in use and those idle are never more than the limit', () => {
    const { shelf, disposed, make } = shelfOf();
    shelf.limit(3);
    for (const name of ['a', 'b', 'c']) make(name);
    for (const name of ['a', 'b', 'c']) shelf.give('k', name);
    make('x', 'another key');
    make('y', 'another key');
    expect(disposed).toEqual(['a', 'b']);
    shelf.release();
    expect(make('new')).toEqual({ item: 'c', reused: true });
  });

  it('needs no room for what lies there already', () => {
    const { shelf, disposed, make } = shelfOf();
    shelf.limit(2);
    for (let use = 0; use < 3; use += 1) {
      for (const name of ['a', 'b']) make(name);
      for (const name of ['a', 'b']) shelf.give('k', name);
    }
    expect(disposed).toEqual([]);
  });

  it('passes over what died where it lay, and disposes it', () => {
    let alive = true;
    const { shelf, disposed, make } = shelfOf({ alive: () => alive });
    make('a');
    shelf.give('k', 'a');
    alive = false;
    expect([make('new'), disposed]).toEqual([{ item: 'new', reused: false }, ['a']]);
  });

  it('disposes what lies too long, once', () => {
    vi.useFakeTimers();
    const { shelf, disposed, make } = shelfOf();
    make('a');
    shelf.give('k', 'a');
    vi.advanceTimersByTime(999);
    expect(disposed).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect([disposed, shelf.take('k')]).toEqual([['a'], null]);
    vi.useRealTimers();
  });
});
