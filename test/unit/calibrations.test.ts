import { afterEach, describe, expect, it, vi } from 'vitest';
import { Calibrations } from '../../src/bench/calibrations.ts';
import type { RunPlan } from '../../src/record/plan.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { okTask, planOf, recordOf } from '../support/fixtures.ts';

afterEach(() => void vi.restoreAllMocks());

/** Executes runs whose task takes these milliseconds, on a clock that only they move on. */
function executing(times: readonly number[]) {
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const plans: RunPlan[] = [];
  const execute = async (plan: RunPlan): Promise<RunRecord> => {
    const ms = times[plans.length] ?? times.at(-1) ?? 1;
    plans.push(plan);
    nowMs += ms;
    const tasks = [okTask(0, { startedAtNs: 0, endedAtNs: ms * 1e6 })];
    return ms <= plan.timeoutMs
      ? recordOf({ plan, tasks })
      : recordOf({ plan, tasks, outcome: 'run_timeout' });
  };
  return { plans, execute };
}

const alone = planOf({ tasks: 1 });

describe('what a task costs alone', () => {
  it('is the smallest of twenty times', async () => {
    const calibrations = new Calibrations();
    const { plans, execute } = executing([9, 5, 7]);
    await calibrations.measure(alone, execute);
    expect(plans).toHaveLength(20);
    expect(calibrations.of(alone)?.taskMs).toBe(5);
  });

  it('is measured for 2 s at most, and once where it takes longer than half of that', async () => {
    const calibrations = new Calibrations();
    const { plans, execute } = executing([1_200]);
    await calibrations.measure(alone, execute);
    expect(plans).toHaveLength(1);
    expect(calibrations.of(alone)?.taskMs).toBe(1_200);
  });

  it('stays unknown where one takes longer than 2 s', async () => {
    const calibrations = new Calibrations();
    const { plans, execute } = executing([5_000]);
    await calibrations.measure(alone, execute);
    expect(plans.map(({ timeoutMs }) => timeoutMs)).toEqual([2_000]);
    expect(calibrations.of(alone)).toBeNull();
  });

  it('is measured once for tasks alike, whatever else differs between their runs', async () => {
    const calibrations = new Calibrations();
    const { plans, execute } = executing([5]);
    await calibrations.measure(alone, execute);
    await calibrations.measure(alone, execute);
    expect(plans).toHaveLength(20);
    expect(calibrations.of(planOf({ strategy: 'threads', tasks: 9 }))?.taskMs).toBe(5);
    expect(calibrations.of(planOf({ params: { n: 11 } }))).toBeNull();
    expect(calibrations.of(planOf({ runtime: 'node22' }))).toBeNull();
  });
});
