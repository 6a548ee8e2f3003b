import { describe, expect, it } from 'vitest';
import { planRun } from '../../src/bench/plan.ts';
import { BenchError } from '../../src/errors.ts';
import type { RunPlan } from '../../src/record/plan.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';

describe('planning a run', () => {
  it('fills in every default', () => {
    expect(plan('fib')).toEqual({
      workload: 'fib',
      strategy: 'async',
      fanOut: 'async',
      runsOn: 'main-thread',
      isolate: false,
      access: null,
      tasks: 10,
      concurrency: 10,
      pool: 'cold',
      client: null,
      join: 'all',
      hedgeAfterMs: null,
      validate: null,
      attempts: 1,
      detail: 'tasks',
      timeoutMs: 30_000,
      runtime: 'node26',
      target: 'emulator',
      params: { n: 30 },
      runnerKind: 'plain',
      cpuBound: true,
      holdsMainThread: true,
      workers: 0,
      warnings: [],
    });
    expect(plan('s3')).toMatchObject({ strategy: 'presigned-async', access: 'presigned', client: 'got' });
  });

  it.each([
    ['sleep', { join: 'hedged' }, 'hedgeAfterMs'],
    ['sleep', { hedgeAfterMs: '5' }, 'hedgeAfterMs'],
    ['fib', { strategy: 'threads', validate: 'nonempty' }, 'validate'],
    ['fib', { join: 'race' }, 'join'],
    ['fib', { strategy: 'single', pool: 'warm' }, 'pool'],
    ['sleep', { strategy: 'async', pool: 'warm' }, 'pool'],
    ['s3', { strategy: 'sdk-single', join: 'hedged', hedgeAfterMs: '5' }, 'join'],
  ])('%s with %j refuses %s', (workload, given, field) => {
    expect(problemsOf(workload, given).map((problem) => problem.field)).toEqual([field]);
  });

  it('says in words what was given, and what was not', () => {
    expect(() => plan('sleep', { join: 'hedged' })).toThrow(
      /^hedgeAfterMs: must be given with join=hedged\.$/u,
    );
    expect(() => plan('sleep', { hedgeAfterMs: '5' })).toThrow(/^hedgeAfterMs=5: has an effect with /u);
  });

  it('takes a race where what runs first can be followed by nothing', () => {
    expect(plan('fib', { strategy: 'single', join: 'race' })).toMatchObject({ join: 'race' });
    expect(plan('s3', { join: 'hedged', hedgeAfterMs: '40', attempts: '3' })).toMatchObject({
      hedgeAfterMs: 40,
      attempts: 3,
    });
    expect(plan('s3', { join: 'first-valid' })).toMatchObject({ validate: 'nonempty' });
  });

  it('takes a warm pool where there is something to keep', () => {
    expect(plan('fib', { strategy: 'isolate', pool: 'warm' })).toMatchObject({ pool: 'warm' });
    expect(plan('s3', { strategy: 'sdk-single', pool: 'warm' })).toMatchObject({ pool: 'warm' });
    expect(problemsOf('fib', { pool: 'warm' })).toMatchObject([
      { field: 'pool', reason: expect.stringContaining('could be kept'), allowed: ['cold'] },
    ]);
    expect(problemsOf('fib', { pool: 'hot' })).toMatchObject([{ allowed: ['cold', 'warm'] }]);
  });

  it('is frozen', () => {
    const frozen = plan('fib', { strategy: 'threads', tasks: '100' });
    expect([frozen, frozen.params, frozen.warnings].map((part) => Object.isFrozen(part))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    ['fib', 'single', true],
    ['fib', 'async', true],
    ['fib', 'isolate', true],
    ['fib', 'isolate-threads', false],
    ['fib', 'threads', false],
    ['fib', 'subprocess', false],
    ['fib', 'isolate-subprocess', false],
    ['sleep', 'single', true],
    ['sleep', 'async', false],
    ['sleep', 'isolate', true],
    ['s3', 'sdk-single', false],
    ['s3', 'presigned-isolate', false],
  ])('%s with %s needs a runner to itself: %s', (workload, strategy, holds) => {
    expect(plan(workload, { strategy }).holdsMainThread).toBe(holds);
  });

  it.each([
    ['fib', 'threads', 'plain'],
    ['fib', 'isolate', 'isolates'],
    ['fib', 'isolate-threads', 'isolates'],
    ['fib', 'isolate-subprocess', 'plain'],
    ['s3', 'presigned-isolate', 'isolates'],
  ])('%s with %s runs in a %s runner', (workload, strategy, kind) => {
    expect(plan(workload, { strategy }).runnerKind).toBe(kind);
  });

  it('single and isolate report concurrency 1 and take it, too', () => {
    for (const strategy of ['single', 'isolate']) {
      expect(plan('fib', { strategy }).concurrency).toBe(1);
      expect(plan('fib', { strategy, concurrency: '1' }).concurrency).toBe(1);
    }
  });

  it('lowers concurrency to MAX_WORKERS where there are workers, and says so', () => {
    const threads = plan('fib', { strategy: 'threads', tasks: '100' });
    expect(threads).toMatchObject({
      concurrency: 64,
      workers: 64,
      warnings: [{ code: 'concurrency_capped' }],
    });
    const async = plan('fib', { strategy: 'async', tasks: '100' });
    expect(async).toMatchObject({ concurrency: 100, workers: 0, warnings: [] });
  });

  it('an sdk strategy has no client of ours', () => {
    expect(plan('s3', { strategy: 'sdk-async' })).toMatchObject({ access: 'sdk', client: null });
  });

  it('a workload that lacks a setting is not_configured, with the fix in the message', () => {
    const world = worldOf(targetAt(null, { bucket: null }));
    const act = () => planRun({ workload: 's3', given: {}, problems: [] }, world);
    expect(act).toThrow(
      expect.objectContaining({ code: 'not_configured', message: expect.stringContaining('S3_BUCKET') }),
    );
  });

  it('never plans more tasks by default than MAX_TASKS', () => {
    const world = worldOf(targetAt(null), { maxTasks: 4 });
    expect(planRun({ workload: 'fib', given: {}, problems: [] }, world)).toMatchObject({
      tasks: 4,
      concurrency: 4,
    });
  });

  it.each([
    ['fib', { tasks: '3', concurrency: 'abc' }, ['concurrency']],
    ['fib', { tasks: 'abc', concurrency: '50' }, ['tasks']],
    ['fib', { strategy: 'single', concurrency: '0' }, ['concurrency']],
    ['fib', { strategy: 'asynk', concurrency: '50' }, ['strategy']],
    ['s3', { strategy: 'sdk-async', client: 'curl' }, ['client']],
    ['s3', { strategy: 'sdk-isolate', tasks: '0' }, ['tasks', 'strategy']],
  ])('%s with %j: an unsound value is one problem, and none is concluded from its default', (...told) => {
    const [workload, given, fields] = told;
    expect(problemsOf(workload, given).map(({ field }) => field)).toEqual(fields);
  });

  it('a name that is nearly a parameter is told which; one that is not, is not', () => {
    expect(problemsOf('fib', { tsks: '3' })[0]?.reason).toContain('did you mean "tasks"?');
    expect(problemsOf('fib', { Strategy: 'async' })[0]?.reason).toContain('did you mean "strategy"?');
    expect(problemsOf('fib', { colour: 'red' })[0]?.reason).toBe('is not a parameter');
    expect(problemsOf('fib', { ['x'.repeat(8000)]: '1' })[0]?.reason).toBe('is not a parameter');
    expect(problemsOf('fib', { '': '1' })[0]?.reason).toBe('is not a parameter');
  });

  it("another workload's parameter is told whose it is rather than a near name", () => {
    expect(problemsOf('fib', { ms: '5' })[0]?.reason).toBe('has no effect on fib: it belongs to sleep');
    expect(problemsOf('fib', { attempts: '2' })[0]?.reason).toBe(
      'has no effect on fib: it belongs to http, s3, bedrock, sts',
    );
  });

  it.each([
    ['fib', { strategy: 'thread' }, '; did you mean "threads"?'],
    ['s3', { strategy: 'threads' }, '; did you mean "sdk-threads" or "presigned-threads"?'],
    ['s3', { strategy: 'isolate' }, '; did you mean "presigned-isolate"?'],
    ['fib', { strategy: 'fibres' }, ''],
    [
      'fib',
      { runtime: 'node22' },
      '; to have it: npm run runtimes -- node22, then start with RUNTIMES=node26,node22',
    ],
    ['fib', { runtime: 'bun' }, ''],
  ])('%s with %j, which is not one of the values, is told what may help', (workload, given, help) => {
    expect(problemsOf(workload, given)[0]?.reason).toBe(`is not one of the values${help}`);
  });

  it('is a BenchError that carries every problem', () => {
    expect(() => plan('fib', { tasks: '0', n: 'x' })).toThrow(BenchError);
    expect(() => plan('fib', { tasks: '0', n: 'x' })).toThrow(
      expect.objectContaining({ problems: [expect.anything(), expect.anything()] }),
    );
  });
});

function plan(workload: string, given: Readonly<Record<string, string>> = {}): RunPlan {
  return planRun({ workload, given, problems: [] }, worldOf(targetAt(null)));
}

function problemsOf(workload: string, given: Readonly<Record<string, string>>): BenchError['problems'] {
  try {
    plan(workload, given);
  } catch (error) {
    if (error instanceof BenchError) return error.problems;
    throw error;
  }
  return [];
}
