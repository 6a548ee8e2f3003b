import { describe, expect, it } from 'vitest';
import { ComparisonFailure } from '../../src/bench/compare/compare.ts';
import type { ComparisonRecord, OrderEntry } from '../../src/bench/compare/comparison.ts';
import { compareFake, comparisonPlan, failedAfter, type FakeRun } from '../support/comparisons.ts';
import { attemptOf, okTask } from '../support/fixtures.ts';

const strategies = 'single,async,threads';
/** Each always takes as long. */
const steady: FakeRun = ({ strategy }) => ({ single: 100, async: 50, threads: 200 })[strategy] ?? 10;
/** Neither interval ever gets narrow. */
const noisy: FakeRun = ({ strategy }, count) =>
  strategy === 'single' ? 100 * (1 + (count % 5)) : 50 * (1 + (count % 3));

/** Two tasks, each with one call or two. */
const calling: FakeRun = ({ strategy }) => {
  const attempts = strategy === 'single' ? [attemptOf()] : [attemptOf(), attemptOf()];
  return { tasks: [okTask(0, { attempts }), okTask(1, { attempts })] };
};

/** These fail from their so-manieth run on, counted from 0. */
const failingFrom =
  (names: readonly string[], from: number): FakeRun =>
  (run, count) =>
    names.includes(run.strategy) && count >= from ? failedAfter(5) : steady(run, count);

const byRound = (order: readonly OrderEntry[]): string[][] =>
  [...Map.groupBy(order, ({ round }) => round).values()].map((entries) =>
    entries.map(({ strategy }) => strategy),
  );
async function orderOf(seed: string): Promise<string[][]> {
  const { record } = compareFake(comparisonPlan('sleep', { strategies, rounds: '12', seed }), steady);
  return byRound((await record).order);
}
const codes = ({ warnings }: ComparisonRecord): string[] => warnings.map(({ code }) => code);

describe('the rounds of a comparison', () => {
  it('run every strategy once each, in an order that the seed decides', async () => {
    const order = await orderOf('5');
    expect(order).toHaveLength(12);
    for (const round of order) expect(round.toSorted()).toEqual(['async', 'single', 'threads']);
    expect(new Set(order.map((round) => round.join())).size).toBeGreaterThan(2);
    expect(await orderOf('5')).toEqual(order);
    expect(await orderOf('6')).not.toEqual(order);
  });

  it('keep every sample, by strategy and round; those to warm up are run and not kept', async () => {
    const { record, executed } = compareFake(
      comparisonPlan('sleep', { strategies, rounds: '3', warmup: '2' }),
      steady,
    );
    const { cells, order, stoppedBy, rounds } = await record;
    expect([stoppedBy, rounds, order.length]).toEqual(['rounds', 3, 9]);
    expect(executed.filter(({ round }) => round === 0)).toHaveLength(6);
    const samples = cells[0]?.samples.get('async') ?? [];
    expect(samples.map(({ round, durationMs, runId }) => [round, durationMs, runId])).toEqual([
      [1, 50, 'async-2'],
      [2, 50, 'async-3'],
      [3, 50, 'async-4'],
    ]);
  });

  it('keep the strategies of a cell together, and shuffle the cells', async () => {
    const plan = comparisonPlan('sleep', {
      strategies: 'single,async',
      rounds: '20',
      ms: '1,2,3',
      warmup: '0',
    });
    const { order } = await compareFake(plan, steady).record;
    const blocks = Array.from({ length: order.length / 2 }, (_, index) =>
      order.slice(2 * index, 2 * index + 2),
    );
    for (const [first, second] of blocks) {
      expect([second?.cell, second?.round]).toEqual([first?.cell, first?.round]);
      expect(second?.strategy).not.toBe(first?.strategy);
    }
    const cellsOfRounds = Array.from({ length: 20 }, (_, round) =>
      blocks
        .slice(3 * round, 3 * round + 3)
        .map(([one]) => one?.cell)
        .join(),
    );
    for (const cells of cellsOfRounds) expect(cells.split(',').toSorted()).toEqual(['0', '1', '2']);
    expect(new Set(cellsOfRounds).size).toBeGreaterThan(3);
  });

  it.each([
    ['1', '1 round is', 'any difference, however large'],
    ['6', '6 rounds are', 'any difference, however large'],
    ['7', '7 rounds are', 'any but large differences'],
    ['9', '9 rounds are', 'any but large differences'],
  ])('%s are too few, and say what they can not show', async (rounds, ...words) => {
    const { record } = compareFake(comparisonPlan('sleep', { strategies, rounds }), steady);
    const { warnings } = await record;
    expect(warnings.map(({ code }) => code)).toEqual(['too_few_rounds']);
    for (const word of words) expect(warnings[0]?.message).toContain(word);
  });

  it('ten are enough', async () => {
    const { record } = compareFake(comparisonPlan('sleep', { strategies, rounds: '10' }), steady);
    expect(codes(await record)).toEqual([]);
  });

  it('are too few where one cell had too few', async () => {
    // It is over between the two cells of a round.
    const plan = comparisonPlan('sleep', {
      strategies: 'single,async',
      ms: '1,2',
      budgetMs: '2799',
      warmup: '0',
    });
    const { record } = compareFake(plan, noisy);
    const { cells, rounds, warnings } = await record;
    const each = cells.map(({ samples }) => samples.get('single')?.length ?? 0).toSorted((a, b) => a - b);
    expect(each[0]).toBeLessThan(each[1] ?? 0);
    expect(rounds).toBe(each[1]);
    expect(warnings[0]?.message).toMatch(new RegExp(`^${each[0]} rounds, which some cells had, are`, 'u'));
  });
});

describe('rounds=auto', () => {
  it('stops after ten where every speed-up is known well enough', async () => {
    const { stoppedBy, rounds } = await compareFake(comparisonPlan('sleep', { strategies }), steady).record;
    expect([stoppedBy, rounds]).toEqual(['precision', 10]);
  });

  it('goes on until the budget is spent where they are not', async () => {
    const plan = comparisonPlan('sleep', { strategies, budgetMs: '20000' });
    const { stoppedBy, rounds, durationMs } = await compareFake(plan, noisy).record;
    expect(stoppedBy).toBe('budget');
    expect(rounds).toBeGreaterThan(10);
    expect(durationMs).toBeGreaterThanOrEqual(20_000);
    // No further than the block in which it ran out.
    expect(durationMs).toBeLessThan(20_000 + 3 * 500);
  });

  it('has one whole round, however small the budget', async () => {
    const plan = comparisonPlan('sleep', { strategies, budgetMs: '1', warmup: '0', ms: '1,2' });
    const { stoppedBy, order } = await compareFake(plan, steady).record;
    expect([stoppedBy, order.length]).toEqual(['budget', 6]);
  });

  it('leaves a cell alone that is precise, and goes on with the others', async () => {
    const plan = comparisonPlan('sleep', { strategies: 'single,async', ms: '1,2', budgetMs: '15000' });
    const { cells, stoppedBy } = await compareFake(plan, (run, count) =>
      run.params['ms'] === 1 ? steady(run, count) : noisy(run, count),
    ).record;
    const [precise, other] = cells.map(({ samples }) => samples.get('single')?.length ?? 0);
    expect([stoppedBy, precise]).toEqual(['budget', 10]);
    expect(other).toBeGreaterThan(20);
  });
});

describe('a strategy that fails', () => {
  const plan = comparisonPlan('sleep', { strategies, rounds: '10' });

  it('once loses that sample, and nothing else', async () => {
    const { cells, warnings } = await compareFake(plan, (run, count) =>
      run.strategy === 'threads' && count === 4 ? failedAfter(5) : steady(run, count),
    ).record;
    const samples = cells[0]?.samples.get('threads') ?? [];
    expect(samples.map(({ durationMs }) => durationMs === null)).toEqual(
      Array.from({ length: 10 }, (_, index) => index === 3),
    );
    expect(warnings).toEqual([]);
  });

  it('twice in a row is left out from then on, and the comparison says so', async () => {
    const { record, executed } = compareFake(plan, (run, count) =>
      run.strategy === 'threads' && count >= 3 ? failedAfter(5) : steady(run, count),
    );
    const { warnings, order } = await record;
    expect(executed.filter(({ strategy }) => strategy === 'threads')).toHaveLength(5);
    expect(order.filter(({ strategy }) => strategy === 'single')).toHaveLength(10);
    expect(warnings).toEqual([
      {
        code: 'strategy_failed',
        message: expect.stringMatching(
          /^threads failed 2 times in a row \(run_timeout: It failed\.\) .* after round 4\.$/u,
        ),
      },
    ]);
  });

  it('that is the baseline leaves nothing to compare with: the run is the answer', async () => {
    const { record } = compareFake(plan, (run, count) =>
      run.strategy === 'single' ? failedAfter(5, 'tasks_failed') : steady(run, count),
    );
    await expect(record).rejects.toThrow(ComparisonFailure);
    await expect(record).rejects.toMatchObject({
      record: { plan: { strategy: 'single' }, outcome: 'tasks_failed' },
    });
  });

  it('like all others ends the comparison at once', async () => {
    const { record, executed } = compareFake(plan, () => failedAfter(5, 'upstream_unavailable'));
    await expect(record).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect(executed).toHaveLength(3);
  });
});

describe('failures that leave nothing more to compare', () => {
  const plan = comparisonPlan('sleep', { strategies, rounds: '10' });

  it('end the comparison where nothing was measured yet: no baseline is run by itself', async () => {
    const { record, executed } = compareFake(plan, failingFrom(['async', 'threads'], 0));
    await expect(record).rejects.toMatchObject({
      name: 'ComparisonFailure',
      record: { outcome: 'run_timeout' },
    });
    expect(executed).toHaveLength(2 * 3);
  });

  it.each([
    ['of the baseline', ['single']],
    ['of all others', ['async', 'threads']],
    ['of all', ['single', 'async', 'threads']],
  ])('%s keep what was measured before', async (_, names) => {
    const { record, executed } = compareFake(plan, failingFrom(names, 5));
    const { stoppedBy, rounds, cells, warnings } = await record;
    expect([stoppedBy, rounds]).toEqual(['failures', 6]);
    expect(executed).toHaveLength(7 * 3);
    expect(cells[0]?.samples.get('async')?.filter(({ durationMs }) => durationMs !== null).length).toBe(
      names.includes('async') ? 4 : 6,
    );
    const failed = warnings.filter(({ code }) => code === 'strategy_failed');
    expect(failed).toHaveLength(names.length);
    expect(failed[0]?.message).toMatch(/after round 6\. Without it there was nothing more to compare\.$/u);
  });

  it('in one cell do not end the others', async () => {
    const grid = comparisonPlan('sleep', {
      strategies: 'single,async',
      ms: '1,2',
      rounds: '10',
      warmup: '0',
    });
    const { record } = compareFake(grid, (run, count) =>
      run.params['ms'] === 2 && count >= 3 ? failedAfter(5) : steady(run, count),
    );
    const { stoppedBy, cells } = await record;
    expect(stoppedBy).toBe('rounds');
    expect(cells.map(({ samples }) => samples.get('single')?.length)).toEqual([10, 5]);
  });

  it('once in all strategies of a round do not end it, where others were measured', async () => {
    const { record } = compareFake(plan, (run, count) => (count === 5 ? failedAfter(5) : steady(run, count)));
    const { stoppedBy, rounds } = await record;
    expect([stoppedBy, rounds]).toEqual(['rounds', 10]);
  });
});

describe('where each call costs money', () => {
  it('no round begins that could make more than are allowed', async () => {
    const plan = comparisonPlan(
      'sleep',
      { strategies: 'single,async', rounds: '50', tasks: '2' },
      { maxCalls: 20 },
    );
    const { record, executed } = compareFake(plan, calling);
    expect((await record).stoppedBy).toBe('max_calls');
    // Of a round, warm-up included, 2 × 1 + 2 × 2 calls are spent and 4 are expected.
    expect(executed).toHaveLength(2 * 3);
  });
});

describe('a comparison that is given up', () => {
  it('rejects with the reason, and runs nothing more', async () => {
    const controller = new AbortController();
    const reason = new Error('the client went away');
    const { record, executed } = compareFake(
      comparisonPlan('sleep', { strategies, rounds: '10' }),
      (run, count) => {
        if (count === 2) controller.abort(reason);
        return steady(run, count);
      },
      controller.signal,
    );
    await expect(record).rejects.toBe(reason);
    expect(executed.length).toBeLessThan(3 * 4);
  });

  it.each([0, 1, 2, 3, 4, 5, 11])(
    'rejects with the reason after run %i, whatever that became',
    async (at) => {
      const controller = new AbortController();
      const reason = new Error('the client went away');
      const plan = comparisonPlan('sleep', { strategies, rounds: '10' });
      const { record, executed } = compareFake(
        plan,
        () => {
          if (executed.length <= at) return 10;
          controller.abort(reason);
          return failedAfter(5, 'cancelled');
        },
        controller.signal,
      );
      await expect(record).rejects.toBe(reason);
      expect(executed).toHaveLength(at + 1);
    },
  );

  it('rejects with the reason when CPU work was being measured alone', async () => {
    const controller = new AbortController();
    const reason = new Error('the client went away');
    const plan = comparisonPlan('fib', { strategies: 'single,async', rounds: '1' });
    const { record, executed } = compareFake(plan, steady, controller.signal);
    controller.abort(reason);
    await expect(record).rejects.toBe(reason);
    expect(executed).toEqual([]);
  });
});

/** What is warned of where nobody took the spans of some runs. @param isLost by how many the strategy had before */
async function warningsOf(isLost: (count: number) => boolean): Promise<readonly string[]> {
  const lost = [{ code: 'trace_not_collected', message: 'the link leads nowhere' }];
  const { warnings } = await compareFake(
    comparisonPlan('sleep', { strategies: 'single,async', rounds: '10', warmup: '0' }),
    (_, count) => ({ endedAtNs: 5e6, warnings: isLost(count) ? lost : [] }),
  ).record;
  return warnings.map(({ message }) => message);
}

describe('what a comparison tells while it lasts', () => {
  it('is each run before it begins, and how long it will take at most', async () => {
    const { record, progress } = compareFake(
      comparisonPlan('sleep', { strategies: 'single,async', rounds: '2' }),
      steady,
    );
    await record;
    expect(
      progress.map(({ phase, round, rounds, elapsedMs, leftMs }) => [
        phase,
        round,
        rounds,
        elapsedMs,
        leftMs,
      ]),
    ).toEqual([
      ['warmup', 0, 2, 0, null],
      ['warmup', 0, 2, expect.any(Number), null],
      ['round', 1, 2, 150, 300],
      ['round', 1, 2, expect.any(Number), expect.any(Number)],
      ['round', 2, 2, 300, 150],
      ['round', 2, 2, expect.any(Number), expect.any(Number)],
    ]);
    // Nothing but the runs takes time: what has passed and what is left are one.
    const whole = progress.flatMap(({ elapsedMs, leftMs }) => (leftMs === null ? [] : [elapsedMs + leftMs]));
    expect(whole).toEqual(Array(4).fill(3 * 150));
  });

  it('begins with the calibration of CPU work', async () => {
    const { record, progress, calibrated } = compareFake(
      comparisonPlan('fib', { strategies: 'single,async', rounds: '1', n: '5,6' }),
      steady,
    );
    await record;
    expect(calibrated.map(({ params }) => params)).toEqual([{ n: 5 }, { n: 6 }]);
    expect(progress.slice(0, 2).map(({ phase, cell }) => [phase, cell])).toEqual([
      ['calibration', 0],
      ['calibration', 1],
    ]);
  });

  it('is what disturbed a run, on its sample', async () => {
    const disturbed = [
      { code: 'event_loop_saturated', message: 'late' },
      { code: 'first_run', message: 'no disturbance' },
    ];
    const { cells } = await compareFake(
      comparisonPlan('sleep', { strategies: 'single,async', rounds: '2', warmup: '0' }),
      (_, count) => ({ endedAtNs: 5e6, warnings: count === 1 ? disturbed : [] }),
    ).record;
    const found = cells[0]?.samples
      .get('async')
      ?.map(({ disturbances }) => disturbances.filter(({ code }) => code !== 'steal_time'));
    expect(found).toEqual([[], [disturbed[0]]]);
  });

  it('is that nobody took the spans which its links lead to', async () => {
    expect(await warningsOf(() => false)).toEqual([]);
    expect(await warningsOf((count) => count === 3)).toEqual([
      'No collector took the spans of 2 of 20 runs, so some links to traces lead nowhere.',
    ]);
    expect(await warningsOf(() => true)).toEqual([
      'No collector took the spans of 20 of 20 runs, so the links to traces lead nowhere.',
    ]);
  });
});
