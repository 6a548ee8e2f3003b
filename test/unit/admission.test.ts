import { describe, expect, it } from 'vitest';
import { Admission, type Demand } from '../../src/bench/admission.ts';
import { planOf } from '../support/fixtures.ts';

const never = new AbortController().signal;

function withWorkers(workers: number): Demand {
  return planOf({ workers });
}

const withRunner = planOf({ holdsMainThread: true });

describe('admission', () => {
  it('lets four runs at once have a runner of a kind to themselves, and whoever needs none pass the fifth', async () => {
    const admission = new Admission({ maxRunsInFlight: 16, maxWorkers: 8 });
    const leaves = [await admission.enter(withRunner, never)];
    for (let run = 1; run < 4; run += 1) leaves.push(await admission.enter(withRunner, never));
    const fifth = outcomeOf(admission.enter(withRunner, never));
    const sixth = outcomeOf(admission.enter(withRunner, never));
    await admission.enter(withWorkers(8), never);
    await admission.enter(planOf({ holdsMainThread: true, runnerKind: 'isolates' }), never);
    await admission.enter(planOf({ holdsMainThread: true, runtime: 'node24' }), never);
    expect([fifth.state, admission.runsInFlight, admission.runsWaiting]).toEqual(['waiting', 7, 2]);
    leaves[0]?.();
    await settled();
    expect([fifth.state, sixth.state]).toEqual(['in', 'waiting']);
  });

  it('lets a run without workers pass one that waits for some', async () => {
    const admission = new Admission({ maxRunsInFlight: 3, maxWorkers: 8 });
    await admission.enter(withWorkers(6), never);
    const large = outcomeOf(admission.enter(withWorkers(8), never));
    await admission.enter(withWorkers(0), never);
    await admission.enter(withWorkers(0), never);
    const noPlace = outcomeOf(admission.enter(withWorkers(0), never));
    await settled();
    expect([large.state, noPlace.state]).toEqual(['waiting', 'waiting']);
  });

  it('lets runs in until as many are in flight as may be, and the next one when one leaves', async () => {
    const admission = new Admission({ maxRunsInFlight: 2, maxWorkers: 10 });
    const leave = await admission.enter(withWorkers(1), never);
    await admission.enter(withWorkers(1), never);
    const third = outcomeOf(admission.enter(withWorkers(1), never));
    await settled();
    expect(third.state).toBe('waiting');
    leave();
    await settled();
    expect(third.state).toBe('in');
    expect(admission.runsInFlight).toBe(2);
  });

  it('counts workers over all runs', async () => {
    const admission = new Admission({ maxRunsInFlight: 10, maxWorkers: 8 });
    const leave = await admission.enter(withWorkers(6), never);
    const second = outcomeOf(admission.enter(withWorkers(3), never));
    await settled();
    expect(second.state).toBe('waiting');
    leave();
    await settled();
    expect(second.state).toBe('in');
  });

  it('keeps the order of asking, so that a large run is not passed by small ones for ever', async () => {
    const admission = new Admission({ maxRunsInFlight: 10, maxWorkers: 8 });
    const leave = await admission.enter(withWorkers(6), never);
    const large = outcomeOf(admission.enter(withWorkers(8), never));
    const small = outcomeOf(admission.enter(withWorkers(1), never));
    await settled();
    expect([large.state, small.state]).toEqual(['waiting', 'waiting']);
    leave();
    await settled();
    expect([large.state, small.state]).toEqual(['in', 'waiting']);
  });

  it('turns a run away as busy when as many wait as may be in flight', async () => {
    const admission = new Admission({ maxRunsInFlight: 1, maxWorkers: 8 });
    await admission.enter(withWorkers(0), never);
    outcomeOf(admission.enter(withWorkers(0), never));
    await expect(admission.enter(withWorkers(0), never)).rejects.toMatchObject({ code: 'busy' });
  });

  it('forgets a run whose client goes away while it waits, and lets in who waited behind it', async () => {
    const admission = new Admission({ maxRunsInFlight: 4, maxWorkers: 8 });
    await admission.enter(withWorkers(4), never);
    const controller = new AbortController();
    const gone = outcomeOf(admission.enter(withWorkers(8), controller.signal));
    const behind = outcomeOf(admission.enter(withWorkers(2), never));
    controller.abort(new Error('gone'));
    await settled();
    expect([gone.state, behind.state]).toEqual(['gone', 'in']);
  });

  it('leaving twice gives room back once', async () => {
    const admission = new Admission({ maxRunsInFlight: 2, maxWorkers: 8 });
    const leave = await admission.enter(withWorkers(1), never);
    await admission.enter(withWorkers(1), never);
    leave();
    leave();
    expect(admission.runsInFlight).toBe(1);
  });

  it('closed, it turns away who waits and who comes', async () => {
    const admission = new Admission({ maxRunsInFlight: 1, maxWorkers: 8 });
    await admission.enter(withWorkers(0), never);
    const waiting = admission.enter(withWorkers(0), never);
    admission.close();
    await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(admission.enter(withWorkers(0), never)).rejects.toMatchObject({ code: 'shutting_down' });
  });
});

describe('a comparison, which needs the machine to itself', () => {
  it('waits for the runs before it and lets none in until it leaves', async () => {
    const admission = new Admission({ maxRunsInFlight: 1, maxWorkers: 8 });
    const leaveFirst = await admission.enter(withWorkers(1), never);
    const second = admission.enter(withWorkers(1), never);
    const alone = outcomeOf(admission.enterAlone(never));
    await expect(admission.enter(withWorkers(1), never)).rejects.toMatchObject({
      code: 'comparison_running',
    });
    leaveFirst();
    const leaveSecond = await second;
    await settled();
    expect(alone.state).toBe('waiting');
    leaveSecond();
    await settled();
    expect([alone.state, admission.runsInFlight]).toEqual(['in', 1]);
    await expect(admission.enterAlone(never)).rejects.toMatchObject({ code: 'comparison_running' });
  });

  it('leaves the machine to others when it is over', async () => {
    const admission = new Admission({ maxRunsInFlight: 1, maxWorkers: 8 });
    const leave = await admission.enterAlone(never);
    leave();
    await admission.enter(withWorkers(1), never);
    expect(admission.runsInFlight).toBe(1);
  });

  it('leaves the machine to others when it is given up, or turned away, while it waits', async () => {
    const admission = new Admission({ maxRunsInFlight: 2, maxWorkers: 8 });
    await admission.enter(withWorkers(1), never);
    const controller = new AbortController();
    const given = admission.enterAlone(controller.signal);
    controller.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await admission.enter(withWorkers(1), never);
    const waiting = admission.enterAlone(never);
    admission.close();
    await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
  });
});

function outcomeOf(entering: Promise<unknown>): { state: 'waiting' | 'in' | 'gone' } {
  const outcome: { state: 'waiting' | 'in' | 'gone' } = { state: 'waiting' };
  entering.then(
    () => (outcome.state = 'in'),
    () => (outcome.state = 'gone'),
  );
  return outcome;
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
