import { describe, expect, it } from 'vitest';
import { Room } from '../../src/execution/room.ts';

/** A room in which these lie idle, each `key:name`, the one that has lain longest first. */
function roomWith(...names: readonly string[]) {
  const room = new Room();
  const ended: string[] = [];
  for (const name of names) {
    room.lay({ key: name.slice(0, 1), end: () => void ended.push(name) });
  }
  return { room, ended };
}

describe('room', () => {
  it('is there while those reserved and those idle are no more than the limit', async () => {
    const { room, ended } = roomWith('a1', 'a2');
    await room.reserve(2, null, 4);
    expect(ended).toEqual([]);
  });

  it('is made by what has lain longest, whichever shelf it lies on', async () => {
    const { room, ended } = roomWith('a1', 'b1', 'a2');
    await room.reserve(3, 'c', 4);
    expect([ended, room.idle]).toEqual([['a1', 'b1'], 1]);
  });

  it('is not needed for what will be taken, of which the last laid down stay', async () => {
    const { room, ended } = roomWith('a1', 'a2', 'b1', 'a3');
    await room.reserve(2, 'a', 3);
    expect(ended).toEqual(['a1']);
  });

  it('is kept by whoever has reserved it until it is given back', async () => {
    const { room, ended } = roomWith('a1', 'a2');
    const leave = await room.reserve(1, null, 3);
    leave();
    await room.reserve(1, null, 3);
    expect(ended).toEqual([]);
    await room.reserve(1, null, 3);
    expect(ended).toEqual(['a1']);
  });

  it('is never made by what is in use', async () => {
    const { room } = roomWith('a1');
    await room.reserve(4, null, 4);
    expect(room.idle).toBe(0);
    await room.reserve(1, null, 4);
  });

  it('is there only when what was in it is dead', async () => {
    const { promise: dead, resolve: die } = Promise.withResolvers<void>();
    const room = new Room();
    room.lay({ key: 'a', end: () => dead });
    let reserved = false;
    const reserving = room.reserve(1, null, 1).then(() => (reserved = true));
    await new Promise(setImmediate);
    expect(reserved).toBe(false);
    die();
    expect(await reserving).toBe(true);
  });

  it('says how many are left when others are dead, also where there was none to end', async () => {
    const { room } = roomWith('a1', 'a2', 'a3');
    const told: number[] = [];
    room.onFewer = (idle) => told.push(idle);
    await room.keepAtMost(1);
    await room.keepAtMost(5);
    expect(told).toEqual([1, 1]);
  });
});
