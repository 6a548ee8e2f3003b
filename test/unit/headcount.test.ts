import { describe, expect, it } from 'vitest';
import { Headcount, type Housekeeper } from '../../src/runner/headcount.ts';

/** A runner that keeps so many. */
class Keeper implements Housekeeper {
  alive = true;
  kept: number;
  readonly asked: number[] = [];

  constructor(kept = 0) {
    this.kept = kept;
  }

  async keepAtMost(most: number): Promise<void> {
    this.asked.push(most);
    await new Promise(setImmediate);
    this.kept = Math.min(this.kept, most);
  }
}

/** Each was used once, in this order. */
async function countOf(most: number, ...runners: readonly Keeper[]): Promise<Headcount> {
  const headcount = new Headcount(most);
  for (const runner of runners) (await headcount.enter(runner, 0, false)).leave();
  return headcount;
}

describe('the workers of all runners', () => {
  it('may be as many as the limit in one, where nothing is alive in another', async () => {
    const headcount = await countOf(10);
    expect(await headcount.enter(new Keeper(7), 4, false)).toMatchObject({ mostAlive: 10 });
  });

  it('leave room for what others have in use and keep', async () => {
    const [busy, kept] = [new Keeper(1), new Keeper(2)];
    const headcount = await countOf(10, kept);
    const first = await headcount.enter(busy, 3, false);
    expect(first.mostAlive).toBe(8);
    expect((await headcount.enter(new Keeper(), 4, false)).mostAlive).toBe(4);
    first.leave();
    expect((await headcount.enter(new Keeper(), 0, false)).mostAlive).toBe(3);
    expect([...busy.asked, ...kept.asked]).toEqual([]);
  });

  it('make room where they lie idle, first in the runner that was used longest ago', async () => {
    const runners = [new Keeper(3), new Keeper(3), new Keeper(3)] as const;
    const headcount = await countOf(9, ...runners);
    const share = await headcount.enter(runners[0], 4, false);
    expect(runners.map(({ kept }) => kept)).toEqual([3, 2, 3]);
    expect(share.mostAlive).toBe(4);
    await headcount.enter(new Keeper(), 4, false);
    expect(runners.map(({ kept }) => kept)).toEqual([1, 0, 0]);
  });

  it('are counted one run after another, also when runs come at once', async () => {
    const [one, other] = [new Keeper(4), new Keeper()];
    const headcount = await countOf(8, one);
    const shares = await Promise.all([
      headcount.enter(other, 3, false),
      headcount.enter(new Keeper(), 3, false),
    ]);
    expect(one.kept).toBe(2);
    expect(shares.map(({ mostAlive }) => mostAlive)).toEqual([4, 3]);
  });

  it('hold up no run that has none', async () => {
    const deaf = new Keeper(4);
    deaf.keepAtMost = () => new Promise(() => undefined);
    const headcount = await countOf(4, deaf);
    let entered = false;
    void headcount.enter(new Keeper(), 2, false).then(() => (entered = true));
    await new Promise(setImmediate);
    (await headcount.enter(new Keeper(), 0, false)).leave();
    expect(entered).toBe(false);
  });

  it('are none in a runner that is dead', async () => {
    const dead = new Keeper(5);
    const headcount = await countOf(5, dead);
    await headcount.enter(dead, 5, false);
    dead.alive = false;
    expect((await headcount.enter(new Keeper(), 5, false)).mostAlive).toBe(5);
    expect(dead.asked).toEqual([]);
  });

  it('stay where a run holds its main thread, which could not answer', async () => {
    const [held, idle] = [new Keeper(2), new Keeper(2)];
    const headcount = await countOf(4, held, idle);
    const { leave } = await headcount.enter(held, 1, true);
    await headcount.enter(idle, 3, false);
    expect([held.asked, idle.asked]).toEqual([[], []]);
    leave();
    await headcount.enter(idle, 1, false);
    expect(held.asked).toEqual([0]);
  });
});
