import type { RunPlan } from '../record/plan.ts';
import type { ComparisonPlan, ComparisonRecord, Progress } from './compare/comparison.ts';
import type { RunRecord } from '../record/record.ts';

/** One thing that readiness depends on. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong; `null` when it is ok. */
  readonly problem: string | null;
}

/** What HTTP needs of the core. */
export interface Bench {
  /**
   * Executes a plan. Resolves for runs that failed, too: the record's outcome says so. The signal gives it up.
   * @throws BenchError `busy`, `shutting_down`, `no_objects`: the run did not start
   */
  run(plan: RunPlan, signal: AbortSignal): Promise<RunRecord>;
  /**
   * Compares strategies, with the machine to itself. The signal gives it up.
   * @throws ComparisonFailure when there is nothing to compare; BenchError `comparison_running`, `shutting_down`,
   *   `no_objects`; the signal's reason when it fires
   */
  compare(
    plan: ComparisonPlan,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<ComparisonRecord>;
  /** A run's spans as OTLP JSON, in pieces to be joined. */
  traceJson(record: RunRecord): AsyncIterable<string>;
  readiness(): Promise<readonly ReadinessCheck[]>;
}

/** What the end of the service needs of the core. */
export interface BenchEnd {
  /** Resolves when no run is in flight and the spans of the last ones have been made. */
  settled(): Promise<void>;
  /** Cancels every run (outcome `shutting_down`); resolves like {@link Bench.settled}. */
  giveUp(): Promise<void>;
}
