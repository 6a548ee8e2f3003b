import { describe, expect, it, vi } from 'vitest';
import { Room } from '../../src/execution/room.ts';
import { Shelf } from '../../src/execution/shelf.ts';

function shelfOf({ room = new Room(), alive = () => true }: { room?: Room; alive?: () => boolean } = {}) {
  const disposed: string[] = [];
  const shelf = new Shelf<string>({
    room,
    idleMs: 1_000,
    dispose: (item) => void disposed.push(item),
    isAlive: alive,
  });
  const make = (name: string, key = 'k') => shelf.takeOrMake(key, () => name);
  return { shelf, room, disposed, make };
}

describe('a shelf', () => {
  it('gives the one that was used last, and only what was made alike', () => {
    const { shelf, make } = shelfOf();
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
    const { shelf, disposed } = shelfOf({ room: new Room(2) });
    for (const name of ['a', 'b', 'c']) shelf.give('k', name);
    expect(disposed).toEqual(['a']);
  });

  it('passes over what died where it lay, and disposes it', () => {
    let alive = true;
    const { shelf, room, disposed, make } = shelfOf({ alive: () => alive });
    shelf.give('k', 'a');
    alive = false;
    expect([make('new'), disposed, room.idle]).toEqual([{ item: 'new', reused: false }, ['a'], 0]);
  });

  it('disposes what lies too long, once', () => {
    vi.useFakeTimers();
    const { shelf, room, disposed } = shelfOf();
    shelf.give('k', 'a');
    vi.advanceTimersByTime(999);
    expect(disposed).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect([disposed, shelf.take('k'), room.idle]).toEqual([['a'], null, 0]);
    vi.useRealTimers();
  });
});
