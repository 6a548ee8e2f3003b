import { describe, expect, it } from 'vitest';
import { runtimeCards, strategyCards, workloadCards } from '../../src/bench/catalogue.ts';
import { planComparison } from '../../src/bench/compare/plan-comparison.ts';
import { planRun } from '../../src/bench/plan.ts';
import { BenchError } from '../../src/errors.ts';
import type { RunPlan } from '../../src/record/plan.ts';
import { strategies } from '../../src/strategies/registry.ts';
import { lameRuntime, ownRuntime, targetAt, worldOf } from '../support/run-on-runner.ts';

const both = worldOf(targetAt(null), {}, [ownRuntime, lameRuntime]);
const lameOnly = worldOf(targetAt(null), {}, [lameRuntime]);
const isolates = strategies.filter(({ declaration }) => declaration.isolate).map(nameOf);
const others = strategies.filter(({ declaration }) => !declaration.isolate).map(nameOf);

describe('a runtime that has no isolates', () => {
  it.each(isolates)('is refused for %s, with the reason and what can be had instead', (strategy) => {
    expect(refusalOf({ strategy, runtime: 'node22' })).toMatchObject({
      code: 'unsupported_combination',
      problems: [{ field: 'runtime', value: 'node22', reason: lameRuntime.noIsolates, allowed: ['node26'] }],
    });
    expect(plan({ strategy }).runtime).toBe('node26');
  });

  it.each(others)('executes %s', (strategy) => {
    expect(plan({ strategy, runtime: 'node22' })).toMatchObject({ strategy, runtime: 'node22' });
  });

  it('stands in the catalogue with the reason, in every cell that it concerns', () => {
    expect(runtimeCards(both)).toEqual([
      {
        name: 'node26',
        version: process.versions.node,
        default: true,
        isolates: { possible: true, reason: null },
      },
      {
        name: 'node22',
        version: '22.1.2',
        default: false,
        isolates: { possible: false, reason: lameRuntime.noIsolates },
      },
    ]);
    for (const { name, isolate, workloads } of strategyCards(both)) {
      for (const { possible, runtimes, strategy } of Object.values(workloads).flat()) {
        if (!possible) continue;
        expect([name, strategy, runtimes]).toEqual([
          name,
          strategy,
          { node26: null, node22: isolate ? lameRuntime.noIsolates : null },
        ]);
      }
    }
  });

  it('makes a strategy impossible where there is no other runtime', () => {
    const fib = workloadCards(lameOnly).find(({ name }) => name === 'fib');
    expect(fib?.strategies.filter(({ possible }) => !possible).map(({ strategy }) => strategy)).toEqual(
      isolates,
    );
    expect(refusalOf({ strategy: 'isolate' }, lameOnly)).toMatchObject({
      code: 'unsupported_combination',
      problems: [{ field: 'strategy', reason: lameRuntime.noIsolates, allowed: others }],
    });
  });
});

describe('a comparison over runtimes', () => {
  const given = { runtime: 'node22,node26' };

  it('leaves a strategy out of the runtime that can not have it, and says so', () => {
    const { cells, warnings } = planComparison({ workload: 'fib', given, problems: [] }, both);
    expect(cells.map(({ params, plans }) => [params['runtime'], plans.map((one) => one.strategy)])).toEqual([
      ['node22', others],
      ['node26', strategies.map(nameOf)],
    ]);
    expect(warnings.map(({ code }) => code)).toEqual(isolates.map(() => 'strategy_left_out'));
    expect(warnings[0]?.message).toContain(lameRuntime.noIsolates);
  });

  it('is refused where such a strategy is asked for by name', () => {
    const named = { ...given, strategies: 'single,isolate' };
    expect(() => planComparison({ workload: 'fib', given: named, problems: [] }, both)).toThrow(
      expect.objectContaining({ code: 'unsupported_combination' }),
    );
  });

  it('measures what a task costs alone in the runtime that it is compared in', () => {
    const { cells } = planComparison({ workload: 'fib', given, problems: [] }, both);
    expect(cells.map(({ alone }) => alone?.runtime)).toEqual(['node22', 'node26']);
  });
});

function plan(given: Readonly<Record<string, string>>, world = both): RunPlan {
  return planRun({ workload: 'fib', given, problems: [] }, world);
}

function refusalOf(given: Readonly<Record<string, string>>, world = both): BenchError {
  try {
    plan(given, world);
  } catch (error) {
    if (error instanceof BenchError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function nameOf({ declaration }: (typeof strategies)[number]): string {
  return declaration.name;
}
