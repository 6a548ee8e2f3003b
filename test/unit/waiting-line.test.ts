import { beforeEach, describe, expect, it } from 'vitest';
import { turnOf, WaitingLine } from '../../src/waiting-line.ts';

/** A room of five, and who is in it. */
let line: WaitingLine;
let free: number;
let inside: string[];
beforeEach(() => {
  line = new WaitingLine();
  free = 5;
  inside = [];
});

function enter(name: string, size: number, signal?: AbortSignal): Promise<void> {
  const take = (): void => {
    free -= size;
    inside.push(name);
  };
  return line.enter(
    turnOf(() => size <= free, take),
    signal,
  );
}

function leave(size: number): void {
  free += size;
  line.letIn();
}

describe('a waiting line', () => {
  it('lets in at once while there is room, and one after another as room is given back', async () => {
    await enter('first', 3);
    const others = [enter('second', 2), enter('third', 2), enter('fourth', 2)];
    expect([inside, line.length]).toEqual([['first', 'second'], 2]);
    leave(3);
    expect([inside, line.length]).toEqual([['first', 'second', 'third'], 1]);
    leave(1);
    await Promise.all(others);
    expect([inside, line.length]).toEqual([['first', 'second', 'third', 'fourth'], 0]);
  });

  it('holds small ones up behind a large one for which there is no room yet', async () => {
    await enter('first', 2);
    const large = enter('large', 5);
    const small = enter('small', 1);
    expect(inside).toEqual(['first']);
    leave(2);
    await large;
    expect(inside).toEqual(['first', 'large']);
    leave(5);
    await small;
    expect(inside).toEqual(['first', 'large', 'small']);
  });

  it('lets those pass that need nothing of what the first one lacks, and holds up those that do', async () => {
    const room: Record<string, number> = { seats: 3, tables: 1 };
    const ask = (name: string, ...needs: string[]): Promise<void> =>
      line.enter({
        needs,
        lacks: () => needs.find((need) => room[need] === 0) ?? null,
        take() {
          for (const need of needs) room[need] = (room[need] ?? 0) - 1;
          inside.push(name);
        },
      });
    await ask('first', 'seats', 'tables');
    const waiting = [ask('no table', 'seats', 'tables'), ask('no table either', 'tables')];
    await ask('needs none', 'seats');
    expect([inside, line.length]).toEqual([['first', 'needs none'], 2]);
    room['tables'] = 1;
    line.letIn();
    await waiting[0];
    expect([inside, line.length]).toEqual([['first', 'needs none', 'no table'], 1]);
    // Now it is seats that there are none of, which 'no table either' does not need.
    void ask('no seat', 'seats');
    room['tables'] = 1;
    line.letIn();
    await waiting[1];
    expect([inside.at(-1), line.length]).toEqual(['no table either', 1]);
  });

  it('forgets one whose signal fires, with the signal’s reason, and those behind move up', async () => {
    await enter('first', 3);
    const leaving = new AbortController();
    const large = enter('large', 5, leaving.signal);
    const small = enter('small', 2);
    leaving.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    await small;
    expect([inside, line.length]).toEqual([['first', 'small'], 0]);
  });

  it('takes nobody whose signal has fired', async () => {
    await expect(enter('late', 1, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect([inside, free, line.length]).toEqual([[], 5, 0]);
  });

  it('leaves one that was let in, and who waits behind, alone when its signal fires', async () => {
    const leaving = new AbortController();
    const first = enter('first', 5, leaving.signal);
    const second = enter('second', 1);
    leaving.abort(new Error('too late'));
    await first;
    expect([inside, line.length]).toEqual([['first'], 1]);
    leave(5);
    await second;
    expect(inside).toEqual(['first', 'second']);
  });

  it('turns everyone away who waits, and lets in who comes after', async () => {
    await enter('first', 5);
    const waiting = [enter('second', 1), enter('third', 1)];
    line.turnAway(new Error('closed'));
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    leave(5);
    await enter('fourth', 1);
    expect(inside).toEqual(['first', 'fourth']);
  });
});
