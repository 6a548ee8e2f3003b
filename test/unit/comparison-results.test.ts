import { describe, expect, it } from 'vitest';
import { crossoversOf } from '../../src/bench/compare/crossovers.ts';
import { recommend } from '../../src/bench/compare/recommendation.ts';
import { resultsOf, type CellResult } from '../../src/bench/compare/results.ts';
import { asCsv, asJson, asMarkdown, asText } from '../../src/http/comparison/formats.ts';
import { comparisonView } from '../../src/http/comparison/view.ts';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import { compareFake, comparisonPlan, failedAfter, type FakeRun } from '../support/comparisons.ts';
import { okTask } from '../support/fixtures.ts';

/** Times differ from round to round by up to 4 %, in another pattern for each strategy. */
function around(ms: number, count: number, pattern: number): number {
  return ms * (1 + ((count * pattern) % 5) / 100);
}
const times: Readonly<Record<string, number>> = { single: 100, async: 50, threads: 200, subprocess: 50.5 };
const run: FakeRun = ({ strategy }, count) =>
  around(times[strategy] ?? 100, count, (times[strategy] ?? 1) % 7);

function compared(given: Readonly<Record<string, string>> = {}, fake: FakeRun = run) {
  const plan = comparisonPlan('sleep', { rounds: '12', strategies: 'single,async,threads', ...given });
  return compareFake(plan, fake).record;
}

const cellOf = (cells: readonly CellResult[]): CellResult => {
  const [cell] = cells;
  if (cell === undefined) throw new Error('no cell');
  return cell;
};
const resultOf = (cell: CellResult, strategy: string) => {
  const result = cell.results.find((one) => one.strategy === strategy);
  if (result === undefined) throw new Error(`no ${strategy}`);
  return result;
};

const sameForBoth: FakeRun = ({ strategy }, count) => around(100, count, strategy === 'single' ? 2 : 3);

const failing: FakeRun = (plan, count) =>
  plan.strategy === 'async' && count % 4 === 1 ? failedAfter(1) : run(plan, count);

const once: FakeRun = (plan, count) => (plan.strategy === 'async' && count === 7 ? 900 : run(plan, count));

const growing: FakeRun = ({ strategy, params }, count) => {
  const ms = Number(params['ms']);
  return around(strategy === 'single' ? ms : 50 + ms / 10, count, strategy === 'single' ? 2 : 3);
};

const shrinking: FakeRun = (plan, count) => {
  const ms = Number(plan.params['ms']);
  const factor = { single: 1, async: ms < 100 ? 0.5 : 2, threads: 0.5, subprocess: 2 }[plan.strategy] ?? 1;
  return around(ms * factor, count, 2 + plan.strategy.length);
};

const sameForWorkers: FakeRun = (plan, count) =>
  around(plan.strategy === 'single' ? 100 : 50, count, plan.strategy === 'subprocess' ? 2 : 3);

const flatFromHundred: FakeRun = ({ strategy, params }, count) =>
  around(strategy === 'single' ? Number(params['ms']) : 50, count, strategy === 'single' ? 2 : 3);

const figures = (cell: CellResult, strategy: string) => {
  const { medianMs, speedup, speedupCi, pValue, verdict } = resultOf(cell, strategy);
  return { medianMs, speedup, speedupCi, pValue, verdict };
};

const exchanged: FakeRun = (plan, count) => {
  const strategy = { async: 'threads', threads: 'async' }[plan.strategy] ?? plan.strategy;
  return run({ ...plan, strategy }, count);
};

const preparing: FakeRun = ({ strategy }) => {
  if (strategy === 'single') return 200;
  const task = { admittedAtNs: 0, startedAtNs: 30e6, endedAtNs: 98e6, returnedAtNs: 99e6 };
  return { endedAtNs: 100e6, tasks: [okTask(0, task)] };
};

const recommended = async (given: Readonly<Record<string, string>>, fake: FakeRun = run) => {
  const record = await compared(given, fake);
  const cells = resultsOf(record);
  return recommend(record, 0, cellOf(cells), crossoversOf(record.plan, cells));
};

const viewed = async (given: Readonly<Record<string, string>> = { ms: '1,2' }, fake: FakeRun = run) =>
  comparisonView(
    await compared(given, fake),
    { target: 'emulator', emulator: null, versions: { 'fanout-bench': '1' } },
    'http://traces.example/{traceId}',
  );

/** The rows of a CSV text, read as RFC 4180 has it. */
function csvRows(text: string): string[][] {
  expect(text.endsWith('\r\n')).toBe(true);
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gu)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

describe('the results of a comparison', () => {
  it('say which is faster and which slower, by how much and how sure', async () => {
    const cell = cellOf(resultsOf(await compared()));
    expect(cell.results.map(({ strategy, verdict }) => [strategy, verdict])).toEqual([
      ['single', 'baseline'],
      ['async', 'faster'],
      ['threads', 'slower'],
    ]);
    const { speedup, speedupCi, pValue, effectSize } = resultOf(cell, 'async');
    expect(speedup).toBeCloseTo(2, 1);
    expect((speedupCi?.[0] ?? 0) > 1.9 && (speedupCi?.[1] ?? 9) < 2.1).toBe(true);
    // Twelve rounds, all one way: 2 / 2¹², twice by Holm.
    expect(pValue).toBeCloseTo((2 * 2) / 2 ** 12, 6);
    expect(effectSize).toBe(1);
    expect(resultOf(cell, 'threads').effectSize).toBe(-1);
    expect(resultOf(cell, 'single')).toMatchObject({ speedup: 1, speedupCi: null, pValue: null });
  });

  it('invert when the baseline is swapped', async () => {
    const fromSingle = resultOf(cellOf(resultsOf(await compared({ strategies: 'single,async' }))), 'async');
    const swapped = await compared({ strategies: 'single,async', baseline: 'async' });
    const fromAsync = resultOf(cellOf(resultsOf(swapped)), 'single');
    expect(fromAsync.speedup).toBeCloseTo(1 / (fromSingle.speedup ?? 0), 12);
    expect(fromAsync.verdict).toBe('slower');
    expect(fromAsync.pValue).toBe(fromSingle.pValue);
  });

  it('say nothing where too few rounds were run', async () => {
    const cell = cellOf(resultsOf(await compared({ rounds: '3' })));
    expect(resultOf(cell, 'async')).toMatchObject({
      verdict: 'no difference shown',
      medianCiMs: null,
      speedupCi: null,
    });
  });

  it('show no difference where there is none', async () => {
    const cell = cellOf(resultsOf(await compared({ strategies: 'single,async' }, sameForBoth)));
    expect(resultOf(cell, 'async').verdict).toBe('no difference shown');
  });

  it('have failed rounds apart, and pair the others by round', async () => {
    const cell = cellOf(resultsOf(await compared({ warmup: '0' }, failing)));
    const { samplesMs, failures, verdict } = resultOf(cell, 'async');
    expect(samplesMs).toHaveLength(9);
    expect(failures.map(({ round, outcome }) => [round, outcome])).toEqual([
      [2, 'run_timeout'],
      [6, 'run_timeout'],
      [10, 'run_timeout'],
    ]);
    expect(verdict).toBe('faster');
  });

  it('flag outliers by their rounds, and count them', async () => {
    const { outliers, maxMs, samplesMs } = resultOf(
      cellOf(resultsOf(await compared({ warmup: '0' }, once))),
      'async',
    );
    expect([outliers, maxMs, samplesMs.length]).toEqual([[8], 900, 12]);
  });

  it('tell what a strategy costs beside time', async () => {
    const cell = cellOf(
      resultsOf(await compared({ strategies: 'single,threads,subprocess,isolate-subprocess', tasks: '4' })),
    );
    expect(
      cell.results.map(({ strategy, costs }) => [strategy, costs.threads, costs.processes, costs.isolates]),
    ).toEqual([
      ['single', 0, 0, 0],
      ['threads', 4, 0, 0],
      ['subprocess', 0, 4, 0],
      ['isolate-subprocess', 0, 4, 4],
    ]);
  });
});

describe('results do not depend', () => {
  it('on the order in which strategies were named, or run', async () => {
    const named = resultsOf(await compared({ strategies: 'threads,single,async' }));
    const shuffled = resultsOf(await compared({ seed: '99' }));
    expect(named).toEqual(resultsOf(await compared()));
    // Each run of a strategy takes as long whenever its turn comes.
    expect(shuffled).toEqual(named);
  });

  it('on what a strategy is called: exchanged labels exchange the figures', async () => {
    const [before, after] = [
      cellOf(resultsOf(await compared())),
      cellOf(resultsOf(await compared({}, exchanged))),
    ];
    expect(figures(after, 'threads')).toEqual(figures(before, 'async'));
    expect(figures(after, 'async')).toEqual(figures(before, 'threads'));
  });
});

describe('crossovers', () => {
  it('name from which value on a strategy is faster', async () => {
    const record = await compared({ ms: '10,100,30,300', strategies: 'single,threads' }, growing);
    expect(crossoversOf(record.plan, resultsOf(record))).toEqual([
      {
        strategy: 'threads',
        axis: 'ms',
        at: {},
        fasterFrom: 100,
        fasterUpTo: null,
        verdicts: [
          { value: 10, verdict: 'slower' },
          { value: 30, verdict: 'slower' },
          { value: 100, verdict: 'faster' },
          { value: 300, verdict: 'faster' },
        ],
      },
    ]);
  });

  it('are found for each combination of the other lists, and for numbers alone', async () => {
    const record = await compared(
      { ms: '10,300', pool: 'cold,warm', strategies: 'threads,subprocess', baseline: 'threads' },
      growing,
    );
    const found = crossoversOf(record.plan, resultsOf(record));
    expect(found.map(({ strategy, axis, at }) => [strategy, axis, at])).toEqual([
      ['subprocess', 'ms', { pool: 'cold' }],
      ['subprocess', 'ms', { pool: 'warm' }],
    ]);
  });

  it('say where a strategy is faster up to a value, everywhere, or nowhere', async () => {
    const record = await compared(
      { ms: '10,30,100', strategies: 'single,async,threads,subprocess' },
      shrinking,
    );
    const found = crossoversOf(record.plan, resultsOf(record));
    expect(found.map(({ strategy, fasterFrom, fasterUpTo }) => [strategy, fasterFrom, fasterUpTo])).toEqual([
      ['async', null, 30],
      ['threads', 10, 100],
      ['subprocess', null, null],
    ]);
  });
});

describe('a recommendation', () => {
  it('is the fastest, with its figures', async () => {
    const { strategy, reasons } = await recommended({});
    expect(strategy).toBe('async');
    expect(reasons[0]).toMatch(
      /^async is 2(?:\.\d+)? times as fast as single, round by round \(95 % sure: [\d.]+ to [\d.]+\); the medians are 5\d(?:\.\d)? and 10\d ms\.$/u,
    );
  });

  it('is the cheaper one of those that are not shown to differ', async () => {
    const { strategy, reasons } = await recommended(
      { strategies: 'single,threads,subprocess' },
      sameForWorkers,
    );
    expect(strategy).toBe('threads');
    expect(
      reasons.some((reason) =>
        /^subprocess \(.*\) is not shown to differ from threads, and costs .*10 process/u.test(reason),
      ),
    ).toBe(true);
  });

  it('with too few rounds is the baseline, and says that nothing could be shown', async () => {
    const few = await recommended({ rounds: '5' });
    expect([few.strategy, few.reasons[0]]).toEqual([
      'single',
      'No strategy is shown to be faster than single. With 5 rounds none could be, however fast.',
    ]);
  });

  it('is the baseline where nothing is shown to be faster', async () => {
    const { strategy, reasons } = await recommended({ strategies: 'single,threads' });
    expect([strategy, reasons[0]]).toEqual(['single', 'No strategy is shown to be faster than single.']);
  });

  it('says how near it is to what no strategy can beat', async () => {
    const { reasons } = await recommended({ strategies: 'single,async' });
    // The fixture's tasks run for 3 ms each, whatever their run takes.
    expect(reasons).toContain('The physical limit is 3 ms, so it is at 6 % of what is possible.');
    const near = await recommended({ strategies: 'single,async' }, ({ strategy }, count) =>
      around(strategy === 'single' ? 100 : 3.2, count, 2),
    );
    expect(near.reasons.some((reason) => reason.endsWith(': no strategy can be much faster.'))).toBe(true);
  });

  it('holds every strategy to the same limit: the lowest that one of them met', async () => {
    const ms: Readonly<Record<string, number>> = { single: 100, async: 50 };
    const { reasons } = await recommended({ strategies: 'single,async' }, ({ strategy }) => {
      const taskMs = strategy === 'single' ? 25 : 40;
      return {
        endedAtNs: (ms[strategy] ?? 0) * 1e6,
        tasks: [okTask(0, { startedAtNs: 0, endedAtNs: taskMs * 1e6, returnedAtNs: taskMs * 1e6 })],
      };
    });
    expect(reasons).toContain('The physical limit is 25 ms, so it is at 50 % of what is possible.');
  });

  it('says what it costs, where its time goes, and that keeping workers would save it', async () => {
    const { strategy, reasons } = await recommended({ strategies: 'single,threads' }, preparing);
    expect(strategy).toBe('threads');
    expect(reasons).toContain('A run of threads costs 5 ms of CPU time and 10 threads.');
    expect(reasons).toContain(
      'Where the time of threads goes: 68 % the tasks themselves, 30 % making workers, isolates or clients.',
    );
    expect(reasons).toContain(
      'pool=warm, which keeps what is made for a run, would save most of what making it takes.',
    );
    const warm = await recommended({
      strategies: 'threads,subprocess',
      baseline: 'subprocess',
      pool: 'warm',
    });
    expect(warm.reasons.filter((reason) => reason.includes('pool=warm'))).toEqual([]);
  });

  it('says from where on it holds', async () => {
    const record = await compared({ ms: '10,100', strategies: 'single,threads' }, flatFromHundred);
    const cells = resultsOf(record);
    const crossovers = crossoversOf(record.plan, cells);
    const [, large] = cells;
    if (large === undefined) throw new Error('no second cell');
    expect(recommend(record, 1, large, crossovers).reasons).toContain('It is faster from ms=100 on.');
  });
});

describe('the formats', () => {
  it('as JSON keep the answer’s schema, and lists of figures on one line', async () => {
    const view = await viewed();
    const json = asJson(view);
    expect(JSON.parse(json)).toEqual(view);
    expect(comparisonSchema.parse(JSON.parse(json)).cells).toHaveLength(2);
    expect(json).toMatch(/"samplesMs": \[\d[\d., ]+\]/u);
  });

  it('keep the digits of a ratio, however small it is', async () => {
    const view = await viewed({}, ({ strategy }, count) =>
      strategy === 'async' ? around(400_000, count, 2) : around(100, count, 3),
    );
    const { speedup, speedupCi } = view.cells[0]?.results.find(({ strategy }) => strategy === 'async') ?? {};
    expect(speedup).toBeCloseTo(1 / 4000, 5);
    expect(speedupCi?.[0]).toBeLessThan(speedup ?? 0);
    expect(speedupCi?.[1]).toBeGreaterThan(speedup ?? 1);
    expect(asText(view)).toMatch(/^async +\S+ +\d+ … \d+ +0\.00025/mu);
  });

  it('as text have columns that stand below each other', async () => {
    const lines = asText(await viewed()).split('\n');
    const start = lines.findIndex((line) => line.startsWith('strategy '));
    const table = lines.slice(start, start + 4);
    expect(table.map((line) => line.split(/ {2,}/u).length)).toEqual([8, 8, 8, 8]);
    const column = table[0]?.indexOf('verdict') ?? -1;
    expect(table.slice(1).map((line) => line.slice(column).split(/ {2,}/u)[0])).toEqual([
      'faster',
      'baseline',
      'slower',
    ]);
    for (const line of lines) expect(line).toBe(line.trimEnd());
  });

  it('as Markdown are tables with as many cells in each row', async () => {
    const tables = asMarkdown(await viewed()).match(/(?:^\|.*\|\n?)+/gmu) ?? [];
    expect(tables.length).toBeGreaterThanOrEqual(4);
    for (const table of tables) {
      const widths = table
        .trim()
        .split('\n')
        .map((line) => line.split('|').length);
      expect(new Set(widths).size).toBe(1);
      expect(table.split('\n')[1]).toMatch(/^\|(?: --- \|)+$/u);
    }
  });

  it('as CSV have every raw sample', async () => {
    const view = await viewed();
    const [head = [], ...rows] = csvRows(asCsv(view));
    expect(rows).toHaveLength(2 * 3 * 12);
    expect(new Set([head, ...rows].map((row) => row.length)).size).toBe(1);
    const at = head.indexOf('durationMs');
    expect(rows.map((row) => Number(row[at]))).toEqual(
      view.cells.flatMap(({ results }) => results.flatMap(({ samplesMs }) => samplesMs)),
    );
  });

  it('as CSV say which round a sample was of, so that pairs are still pairs where one failed', async () => {
    const view = await viewed({ warmup: '0' }, failing);
    const [head = [], ...rows] = csvRows(asCsv(view));
    const rounds = (strategy: string): number[] =>
      rows
        .filter((row) => row[head.indexOf('strategy')] === strategy)
        .map((row) => Number(row[head.indexOf('round')]));
    expect(rounds('single')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(rounds('async')).toEqual([1, 3, 4, 5, 7, 8, 9, 11, 12]);
  });

  it('as CSV keep what would break a row', async () => {
    const view = await viewed();
    const odd = 'a,"b"\r\nc';
    const cells = view.cells.map((cell) => ({ ...cell, params: { odd } }));
    const [head = [], ...rows] = csvRows(asCsv({ ...view, cells }));
    expect(rows).toHaveLength(2 * 3 * 12);
    expect(new Set(rows.map((row) => row[head.indexOf('odd')]))).toEqual(new Set([odd]));
  });

  it.each([
    ['rounds', '12 rounds, as asked for, seed 1'],
    ['precision', '12 rounds, until every speed-up was known within ±5 %, seed 1'],
    ['budget', '12 rounds, until the time for them was over (budgetMs), seed 1'],
    ['max_calls', '12 rounds: one more could have made more than MAX_CALLS calls, seed 1'],
    ['failures', '12 rounds, until failures left nothing more to compare, seed 1'],
  ] as const)('say what ended the rounds: %s', async (stoppedBy, words) => {
    const view = await viewed();
    expect(asText({ ...view, comparison: { ...view.comparison, stoppedBy } })).toContain(`sleep: ${words}\n`);
  });
});
