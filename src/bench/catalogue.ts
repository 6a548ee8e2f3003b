import type { ParameterDeclarations } from '../record/parameters.ts';
import type { StrategyDeclaration } from '../strategies/declaration.ts';
import type { SharedSetting, WorkloadDeclaration } from '../workloads/declaration.ts';
import type { Join, Pool } from '../record/plan.ts';
import { joinRefusal, poolRefusal, runtimeRefusal } from './combinations.ts';
import { parametersOf } from './parameters.ts';
import { strategiesOf, type NamedStrategy } from './strategies-of.ts';
import type { World } from './world.ts';

/** One cell of the matrix: whether a workload can run with a strategy, and how. */
export interface MatrixCell {
  readonly strategy: string;
  readonly possible: boolean;
  /** Why not; `null` when possible. */
  readonly reason: string | null;
  /** Whether its tasks run in an isolate and ask their host for what they need. */
  readonly bridged: boolean;
  /** The thread on which an isolate goes on after a bridged call. */
  readonly resumesOn: 'isolated-vm thread' | null;
  /** By pool: why it can't be used here; `null` where it can. */
  readonly pools: Readonly<Record<Pool, string | null>>;
  /** By join: why it can't be used here; `null` where it can. */
  readonly joins: Readonly<Record<Join, string | null>>;
  /** By runtime: why it can't be used here; `null` where it can. */
  readonly runtimes: Readonly<Record<string, string | null>>;
}

export interface RuntimeCard {
  readonly name: string;
  readonly version: string;
  readonly default: boolean;
  readonly isolates: {
    readonly possible: boolean;
    /** Why not; `null` when possible. */
    readonly reason: string | null;
  };
}

export interface WorkloadCard {
  readonly name: string;
  readonly summary: string;
  readonly work: WorkloadDeclaration['work'];
  /** What the configuration lacks; `null` when it can run. */
  readonly missing: string | null;
  readonly parameters: ParameterDeclarations;
  readonly sharedSettings: readonly SharedSetting[];
  readonly strategies: readonly MatrixCell[];
}

export interface StrategyCard extends Omit<StrategyDeclaration, 'baseline' | 'refusedAccesses'> {
  /** By workload: under which names it can be used there, or why not. */
  readonly workloads: Readonly<Record<string, readonly MatrixCell[]>>;
}

/** Every workload with its parameters and what works with it. */
export function workloadCards(world: World): readonly WorkloadCard[] {
  return world.workloads.map(({ declaration }) => ({
    name: declaration.name,
    summary: declaration.summary,
    work: declaration.work,
    missing: declaration.missingSetting(world.target),
    parameters: parametersOf(declaration, world),
    sharedSettings: declaration.sharedSettings,
    strategies: strategiesOf(declaration, world).map((strategy) => cell(declaration, strategy, world)),
  }));
}

/** Every strategy with what it can do. */
export function strategyCards(world: World): readonly StrategyCard[] {
  return world.strategies.map(({ declaration: { baseline: _, refusedAccesses: __, ...declaration } }) => ({
    ...declaration,
    workloads: Object.fromEntries(
      world.workloads.map(({ declaration: workload }) => [
        workload.name,
        strategiesOf(workload, world)
          .filter((strategy) => strategy.declaration.name === declaration.name)
          .map((strategy) => cell(workload, strategy, world)),
      ]),
    ),
  }));
}

/** Every runtime that a run can ask for, and what it can't do. */
export function runtimeCards({ runtimes }: World): readonly RuntimeCard[] {
  return runtimes.map(({ name, version, noIsolates }, index) => ({
    name,
    version,
    default: index === 0,
    isolates: { possible: noIsolates === null, reason: noIsolates },
  }));
}

function cell(
  workload: WorkloadDeclaration,
  { name, access, declaration, refusal }: NamedStrategy,
  { runtimes }: World,
): MatrixCell {
  const bridged = refusal === null && declaration.isolate && workload.clients.length > 0 && access !== 'sdk';
  const why = (join: Join): string | null => refusal ?? joinRefusal(workload, declaration, join);
  return {
    strategy: name,
    possible: refusal === null,
    reason: refusal,
    bridged,
    resumesOn: bridged ? 'isolated-vm thread' : null,
    pools: { cold: refusal, warm: refusal ?? poolRefusal(workload, declaration, 'warm') },
    joins: {
      all: why('all'),
      race: why('race'),
      'first-valid': why('first-valid'),
      hedged: why('hedged'),
    },
    runtimes: Object.fromEntries(
      runtimes.map((runtime) => [runtime.name, refusal ?? runtimeRefusal(declaration, runtime)]),
    ),
  };
}
