import { getHeapStatistics } from 'node:v8';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collector, IdleGarbage } from '../../src/idle-garbage.ts';

const mb = 2 ** 20;
let used: number;
let collected: number;
let garbage: IdleGarbage;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  used = 50 * mb;
  collected = 0;
  garbage = new IdleGarbage(
    () => {
      collected += 1;
      used = 50 * mb;
    },
    () => used,
  );
});
afterEach(() => void vi.useRealTimers());

function work(bytes: number): void {
  garbage.begin();
  used += bytes;
  garbage.end();
}

describe('IdleGarbage', () => {
  it('collects once after work, when there was none for ten seconds', () => {
    for (let time = 0; time < 5; time += 1) {
      work(10 * mb);
      vi.advanceTimersByTime(9_900);
    }
    expect(collected).toBe(0);
    vi.advanceTimersByTime(100);
    expect(collected).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(collected).toBe(1);
  });

  it('collects not while something lasts, and after it', () => {
    garbage.begin();
    used += 100 * mb;
    vi.advanceTimersByTime(60_000);
    work(1);
    vi.advanceTimersByTime(60_000);
    expect(collected).toBe(0);
    garbage.end();
    vi.advanceTimersByTime(10_000);
    expect(collected).toBe(1);
  });

  it('collects not for little, until it adds up', () => {
    for (let probe = 0; probe < 8; probe += 1) {
      work(mb);
      vi.advanceTimersByTime(20_000);
      expect(collected).toBe(probe < 7 ? 0 : 1);
    }
  });

  it("collects with V8's own collector", async () => {
    let asked = 0;
    const own = new IdleGarbage(undefined, () => (asked++ === 0 ? 0 : 100 * mb));
    const weak = new WeakRef({ held: 'by nobody' });
    expect(weak.deref()).toBeDefined();
    // A weak reference holds what it refers to until this turn ends.
    await new Promise(setImmediate);
    own.begin();
    own.end();
    vi.advanceTimersByTime(10_000);
    await new Promise(setImmediate);
    expect(weak.deref()).toBeUndefined();
  });

  it('collects after work whose garbage V8 has collected already, and kept the room', () => {
    const collect = collector();
    collect();
    const own = new IdleGarbage(() => void (collected += 1));
    own.begin();
    expect(sizeWithMuchMb()).toBeGreaterThan(20);
    collect();
    own.end();
    vi.advanceTimersByTime(10_000);
    expect(collected).toBe(1);
  });

  it('has V8 give what it emptied back to the system at once', () => {
    const collect = collector();
    collect();
    const before = sizeMb();
    expect(sizeWithMuchMb() - before).toBeGreaterThan(20);
    collect();
    expect(sizeMb() - before).toBeLessThan(5);
  });
});

/** More than twice what is asked for: a heap also has room that it need not grow for. */
function sizeWithMuchMb(): number {
  const much = Array.from({ length: 2_000_000 }, (_, index) => ({ index }));
  const size = sizeMb();
  much.length = 0;
  return size;
}

function sizeMb(): number {
  return getHeapStatistics().total_heap_size / mb;
}
