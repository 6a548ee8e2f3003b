import { describe, expect, it, vi } from 'vitest';
import { planComparison } from '../../src/bench/compare/plan-comparison.ts';
import { BenchError } from '../../src/errors.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';

const world = worldOf(targetAt('http://127.0.0.1:1'));
const aws = worldOf({ ...targetAt('http://127.0.0.1:1'), name: 'aws' });

function plan(workload: string, given: Readonly<Record<string, string>> = {}, inWorld = world) {
  return planComparison({ workload, given, problems: [] }, inWorld);
}

/** What is refused, as `field: reason`. */
function refusal(workload: string, given: Readonly<Record<string, string>>, inWorld = world) {
  try {
    plan(workload, given, inWorld);
  } catch (error) {
    if (error instanceof BenchError) {
      return { code: error.code, problems: error.problems };
    }
    throw error;
  }
  throw new Error('It was not refused.');
}

const reasons = (workload: string, given: Readonly<Record<string, string>>, inWorld = world): string[] =>
  refusal(workload, given, inWorld).problems.map(({ field, reason }) => `${field}: ${reason}`);

/** `1,2,…` */
const values = (count: number): string => Array.from({ length: count }, (_, at) => at + 1).join(',');

describe('a comparison by default', () => {
  it('has every strategy that is possible, the baseline among them, and one cell', () => {
    const { baseline, rounds, warmup, budgetMs, cells, axes, maxCalls, warnings } = plan('fib');
    expect({ baseline, rounds, warmup, budgetMs, axes, maxCalls, warnings }).toEqual({
      baseline: 'single',
      rounds: 'auto',
      warmup: 1,
      budgetMs: 25_000,
      axes: {},
      maxCalls: null,
      warnings: [],
    });
    expect(cells).toHaveLength(1);
    expect(cells[0]?.plans.map(({ strategy }) => strategy)).toEqual([
      'single',
      'async',
      'threads',
      'subprocess',
      'isolate',
      'isolate-threads',
      'isolate-subprocess',
    ]);
    expect(cells[0]?.params).toEqual({ tasks: 10, pool: 'cold', join: 'all', runtime: 'node26', n: 30 });
  });

  it('begins from sdk-single where there is an access, and leaves out what can not be had', () => {
    const { baseline, cells } = plan('s3');
    expect(baseline).toBe('sdk-single');
    expect(cells[0]?.plans).toHaveLength(11);
  });

  it('measures CPU work alone first, and nothing else', () => {
    expect(plan('fib', { n: '20,25' }).cells.map(({ alone }) => [alone?.tasks, alone?.params])).toEqual([
      [1, { n: 20 }],
      [1, { n: 25 }],
    ]);
    expect(plan('s3').cells[0]?.alone).toBeNull();
  });

  it('begins from the strategy that is declared as the baseline, whatever its name', () => {
    const strategies = world.strategies.map((entry) => {
      const { declaration } = entry;
      return declaration.baseline ? { ...entry, declaration: { ...declaration, name: 'in-turn' } } : entry;
    });
    const { baseline, cells } = plan('fib', {}, { ...world, strategies });
    expect([baseline, cells[0]?.alone?.strategy]).toEqual(['in-turn', 'in-turn']);
    expect(plan('s3', {}, { ...world, strategies }).baseline).toBe('sdk-in-turn');
  });

  it('measures nothing alone where the baseline can not be had', () => {
    const strategies = world.strategies.filter(({ declaration }) => !declaration.baseline);
    const { baseline, cells } = plan('fib', {}, { ...world, strategies });
    expect([baseline, cells[0]?.alone]).toEqual(['async', null]);
  });

  it('draws a seed, and takes one that is given', () => {
    const seeds = new Set(Array.from({ length: 20 }, () => plan('fib').seed));
    expect(seeds.size).toBeGreaterThan(10);
    expect(plan('fib', { seed: '7' }).seed).toBe(7);
  });
});

describe('a grid', () => {
  it('is every combination of the lists, with the numeric axes as numbers', () => {
    const { cells, axes } = plan('fib', {
      tasks: '1,2',
      pool: 'cold,warm',
      strategies: 'threads',
      baseline: 'subprocess',
    });
    expect(axes).toEqual({ tasks: [1, 2], pool: ['cold', 'warm'] });
    expect(cells.map(({ params }) => [params['tasks'], params['pool']])).toEqual([
      [1, 'cold'],
      [1, 'warm'],
      [2, 'cold'],
      [2, 'warm'],
    ]);
    expect(cells.map(({ plans }) => plans.map(({ tasks, pool }) => [tasks, pool])).at(-1)).toEqual([
      [2, 'warm'],
      [2, 'warm'],
    ]);
  });

  it('leaves a parameter out for a strategy on which it has no effect, and says so', () => {
    const { cells, warnings } = plan('s3', {
      client: 'undici',
      concurrency: '2',
      strategies: 'presigned-async',
    });
    const [single, presigned] = cells[0]?.plans ?? [];
    expect([single?.client, single?.concurrency]).toEqual([null, 1]);
    expect([presigned?.client, presigned?.concurrency]).toEqual(['undici', 2]);
    expect(warnings.map(({ code }) => code)).toEqual(['parameter_left_out', 'parameter_left_out']);
    expect(warnings[0]?.message).toMatch(/^sdk-single runs without (?:client|concurrency)=/u);
  });

  it.each([
    ['client', 's3', { client: 'undici', strategies: 'sdk-async,sdk-threads' }],
    ['pool', 'fib', { pool: 'cold,warm', strategies: 'single,async' }],
    ['concurrency', 'fib', { concurrency: '2', strategies: 'single,isolate' }],
  ])('refuses %s where it has an effect on no strategy', (field, workload, given) => {
    // `cold` is what every strategy is anyway.
    const expected = field === 'pool' ? { ...given, pool: 'warm' } : given;
    const { code, problems } = refusal(workload, expected);
    expect(code).toBe('unsupported_combination');
    expect(new Set(problems.map((problem) => problem.field))).toEqual(new Set([field]));
    expect(problems[0]?.reason).toMatch(/ \((?:sdk-)?[a-z]+\)$/u);
  });

  it('leaves a strategy out of a cell in which it can not be had, and says so', () => {
    const { cells, warnings } = plan('fib', { join: 'all,race' });
    expect(cells.map(({ plans }) => plans.some(({ strategy }) => strategy === 'async'))).toEqual([
      true,
      false,
    ]);
    expect(warnings).toEqual([
      { code: 'strategy_left_out', message: expect.stringMatching(/^async is left out: join=race/u) },
    ]);
  });

  it('that is too large is refused, with all else that is wrong', () => {
    const many = Array.from({ length: 60 }, (_, n) => n).join(',');
    expect(reasons('fib', { n: many, tasks: '1,2,3', warmup: '11' })).toEqual([
      'warmup: is above 10',
      'n,tasks: make 1260 runs a round; 500 is the most',
    ]);
  });

  it('that is too large is not worked out: millions of combinations have room in a URL', () => {
    const lookups = vi.spyOn(Object, 'freeze');
    expect(reasons('sleep', { tasks: values(400), ms: values(1_500) })).toEqual([
      'tasks,ms: make 4200000 runs a round; 500 is the most',
    ]);
    // Plans are frozen.
    expect(lookups).not.toHaveBeenCalled();
    lookups.mockRestore();
  });

  it('of the largest size is taken', () => {
    const many = Array.from({ length: 50 }, (_, ms) => ms + 1).join(',');
    expect(plan('sleep', { ms: many, tasks: '1,2,3,4,5', strategies: 'single,async' }).cells).toHaveLength(
      250,
    );
  });
});

describe('what is refused', () => {
  it('is told all at once, with what is allowed', () => {
    const { code, problems } = refusal('fib', {
      strategies: 'single,thread',
      baseline: 'none',
      rounds: 'many',
      warmup: '11',
      seed: '-1',
      tasks: '0,2',
      tsks: '3',
    });
    expect(code).toBe('invalid_parameter');
    expect(problems.map(({ field }) => field).toSorted()).toEqual([
      'baseline',
      'rounds',
      'seed',
      'strategies',
      'tasks',
      'tsks',
      'warmup',
    ]);
    const by = Object.fromEntries(problems.map((problem) => [problem.field, problem]));
    expect(by['strategies']?.reason).toBe('"thread" is not a strategy; did you mean "threads"?');
    expect(by['strategies']?.allowed).toContain('isolate-threads');
    expect(by['rounds']?.allowed).toBe('auto, or 1 … 1000');
    expect(by['tasks']).toMatchObject({ value: '0', allowed: '1 … 10000' });
    expect(by['tsks']?.reason).toContain('did you mean "tasks"?');
    expect(by['tsks']?.allowed).toContain('baseline');
  });

  it.each([
    ['a name twice', { strategies: 'threads,threads' }, 'strategies: names one twice'],
    ['an empty name', { strategies: 'threads,' }, 'strategies: has an empty name'],
    [
      'nothing beside the baseline',
      { strategies: 'single' },
      'strategies: leaves nothing to compare with the baseline',
    ],
    [
      'the parameter of a run',
      { strategy: 'async' },
      'strategy: is not a parameter of a comparison; did you mean "strategies"?',
    ],
    ['a value twice', { tasks: '1,1' }, 'tasks: names a value twice'],
    ['an empty value', { tasks: '1,' }, 'tasks: is empty'],
    [
      'a budget for a number of rounds',
      { rounds: '10', budgetMs: '5' },
      'budgetMs: has an effect with rounds=auto only',
    ],
    ['a parameter of another workload', { ms: '5' }, 'ms: has no effect on fib: it belongs to sleep'],
  ])('%s', (_, given, reason) => {
    expect(reasons('fib', given)).toContain(reason);
  });

  it('is a strategy that can not be had, where it was asked for by name', () => {
    expect(refusal('s3', { strategies: 'sdk-isolate' })).toMatchObject({
      code: 'unsupported_combination',
      problems: [{ field: 'strategies', value: 'sdk-isolate' }],
    });
    expect(refusal('fib', { strategies: 'async', join: 'race' })).toMatchObject({
      code: 'unsupported_combination',
      problems: [{ field: 'join', reason: expect.stringContaining('(async)') }],
    });
  });

  it('is an unknown workload, and one that is not configured', () => {
    expect(refusal('fibb', {}).code).toBe('unknown_workload');
    const bare = worldOf(targetAt(null, { bucket: null }));
    expect(refusal('s3', {}, bare).code).toBe('not_configured');
  });
});

describe('parameters that are no business of the plan', () => {
  it('are among those that an unknown one may have meant', () => {
    const request = { workload: 'fib', given: { formt: 'csv' }, problems: [] };
    expect(() => planComparison(request, world, ['format', 'progress'])).toThrow(
      'formt=csv: is not a parameter; did you mean "format"?',
    );
  });
});

describe('with TARGET=aws', () => {
  const few = { strategies: 'sdk-single,presigned-async' };

  it('a comparison is refused that would spend its calls before one round is whole', () => {
    expect(reasons('s3', { rounds: '10' }, aws)).toEqual([
      'strategies: make up to 110 calls a round, and with 1 to warm up 220; MAX_CALLS is 200',
    ]);
    expect(reasons('s3', { ...few, rounds: '10', tasks: '101', warmup: '0' }, aws)).toEqual([
      'strategies: make up to 202 calls a round; MAX_CALLS is 200',
    ]);
    expect(reasons('s3', { ...few, rounds: '10', tasks: '20,31' }, aws)[0]).toContain('204');
    expect(plan('s3', { ...few, rounds: '10', tasks: '20,30' }, aws).cells).toHaveLength(2);
    expect(plan('s3', { rounds: '10' }).maxCalls).toBeNull();
  });

  it('the number of rounds must be given where each call costs money', () => {
    expect(reasons('s3', few, aws)).toEqual([
      'rounds: must be given with TARGET=aws, where each call costs money',
    ]);
    expect(plan('s3', { ...few, rounds: '10' }, aws).maxCalls).toBe(200);
    expect(plan('fib', {}, aws)).toMatchObject({ rounds: 'auto', maxCalls: null });
  });
});
