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
      access: null,
      tasks: 10,
      concurrency: 10,
      pool: 'cold',
      client: null,
      join: 'all',
      attempts: 1,
      detail: 'tasks',
      timeoutMs: 30_000,
      runtime: 'node26',
      target: 'emulator',
      params: { n: 30 },
      runnerKind: 'plain',
      holdsMainThread: true,
      workers: 0,
      warnings: [],
    });
    expect(plan('s3')).toMatchObject({ strategy: 'presigned-async', access: 'presigned', client: 'got' });
  });

  it('is frozen', () => {
    expect(Object.isFrozen(plan('fib'))).toBe(true);
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
