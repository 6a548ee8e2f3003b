import type { ParameterValue, RunPlan, Warning } from '../../record/plan.ts';
import type { Outcome, SpanIds } from '../../record/record.ts';
import type { Analysis } from '../analysis.ts';
import type { Machine, Load } from './machine.ts';

/** One point of the grid: the same parameters for every strategy. */
export interface CellPlan {
  /** What the runs of this cell are asked for. */
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** A run of each strategy that can be had here, the baseline's among them, in the registries' order. */
  readonly plans: readonly RunPlan[];
  /** One task alone on a runner's main thread, for CPU work; `null` for all other. */
  readonly alone: RunPlan | null;
}

/** A comparison, resolved: every default filled in, every combination checked. */
export interface ComparisonPlan {
  readonly workload: string;
  readonly baseline: string;
  /** `auto`: until the figures are precise or the budget is spent. */
  readonly rounds: number | 'auto';
  /** Rounds before the first that counts. */
  readonly warmup: number;
  /** How long `auto` may go on, in milliseconds. */
  readonly budgetMs: number;
  readonly seed: number;
  /** Every combination of the parameters that were given as lists. */
  readonly cells: readonly CellPlan[];
  /** Parameters that have more than one value, with them, in the order given. */
  readonly axes: Readonly<Record<string, readonly ParameterValue[]>>;
  /** How many requests it may make; `null` where they cost nothing. */
  readonly maxCalls: number | null;
  readonly warnings: readonly Warning[];
}

/** A run of a comparison. */
export interface Sample {
  /** From 1. */
  readonly round: number;
  readonly outcome: Outcome;
  /** `null` where the run was not `ok`: it took as long as its failure did. */
  readonly durationMs: number | null;
  readonly fanOutMs: number | null;
  readonly runId: string;
  readonly traceId: string;
  readonly cpuMs: number | null;
  readonly analysis: Analysis;
  /** What disturbed this very run. */
  readonly disturbances: readonly Warning[];
}

/** Where a run stands in the order of all. */
export interface OrderEntry {
  readonly round: number;
  readonly strategy: string;
  /** Which cell, from 0. */
  readonly cell: number;
}

/**
 * What ended it: the rounds asked for, every figure precise enough, the budget, the number of calls, or failures that
 * left nothing more to compare.
 */
export type StoppedBy = 'rounds' | 'precision' | 'budget' | 'max_calls' | 'failures';

/** What a comparison leaves behind: plain data, from which its results are made. */
export interface ComparisonRecord {
  readonly id: string;
  readonly plan: ComparisonPlan;
  readonly stoppedBy: StoppedBy;
  /** The most rounds that a cell had. */
  readonly rounds: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly machine: Machine;
  readonly load: { readonly before: Load; readonly after: Load };
  readonly order: readonly OrderEntry[];
  /** By cell, by strategy. */
  readonly cells: readonly { readonly samples: ReadonlyMap<string, readonly Sample[]> }[];
  /** `null` where nothing is traced. */
  readonly trace: SpanIds | null;
  /** The version of each runtime that ran. */
  readonly runtimes: Readonly<Record<string, string>>;
  readonly warnings: readonly Warning[];
}

/** How far a comparison has come. */
export interface Progress {
  readonly phase: 'calibration' | 'warmup' | 'round';
  /** From 1, with `phase` `round`; 0 before. */
  readonly round: number;
  /** `null` while it is not known. */
  readonly rounds: number | null;
  readonly strategy: string;
  /** Which cell, from 0, and how many there are. */
  readonly cell: number;
  readonly cells: number;
  readonly elapsedMs: number;
  /** At most, with `rounds=auto`; `null` while nothing is known. */
  readonly leftMs: number | null;
}
