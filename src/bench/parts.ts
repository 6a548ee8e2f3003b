import type { ClockAnchor } from '../record/clock.ts';
import type { RunPlan } from '../record/plan.ts';
import type { RunRecord, SpanIds, TraceIds } from '../record/record.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { Admission } from './admission.ts';
import type { Analysis } from './analysis.ts';
import type { RunArchive } from './archive.ts';
import type { Calibrations } from './calibrations.ts';
import type { World } from './world.ts';

/** What the core asks of telemetry. */
export interface BenchTelemetry {
  /** Waits until the spans of a run can be taken without losing any. */
  reserveRoom(plan: RunPlan, signal: AbortSignal): Promise<{ release(): void }>;
  /** @param linkedTo the span that stands for the run in another trace */
  allotIds(plan: RunPlan, linkedTo: SpanIds | null): TraceIds;
  /** The clock of a run that starts now. */
  anchorClock(): ClockAnchor;
  /** Makes the record's spans. */
  emit(record: RunRecord): Promise<void>;
  readonly metrics: BenchMetrics;
  traceJson(record: RunRecord): AsyncIterable<string>;
  /** `traceparent` values by task index; `null` where the run is not traced. */
  traceparents(ids: TraceIds): readonly string[] | null;
  beginComparison(comparison: { readonly id: string; readonly workload: string }): ComparisonTrace;
  readonly counts: { readonly dropped: number };
  /** `null` where spans are sent to no collector. */
  readonly collectorUrl: string | null;
  /** Whether the collector takes spans, as far as is known. */
  readonly accepting: boolean;
}

/** What the core tells the metrics. */
export interface BenchMetrics {
  /** A run began: it was let in and had its runner after so many milliseconds. */
  begun(plan: RunPlan, waitedMs: number): void;
  /** A run is over. */
  ran(record: RunRecord, figures: Pick<Analysis, 'parallelism' | 'efficiency'>): Promise<void>;
}

/** The trace of a comparison: one span a run, each of which has a trace of its own. */
export interface ComparisonTrace {
  /** `null` where nothing is traced. */
  readonly ids: SpanIds | null;
  standFor(
    round: { readonly round: number; readonly strategy: string },
    execute: (linkedTo: SpanIds | null) => Promise<RunRecord>,
  ): Promise<RunRecord>;
  end(error: unknown): void;
}

export interface BenchParts {
  readonly world: World;
  readonly admission: Admission;
  readonly supervisor: Supervisor;
  readonly telemetry: BenchTelemetry;
  readonly archive: RunArchive;
  readonly calibrations: Calibrations;
  /** Hears of every run, once its record is made. */
  readonly reportRun: (record: RunRecord) => void;
  /** Hears of what went wrong after a run's answer was sent. */
  readonly reportFault: (error: unknown) => void;
  /** Why the target can't be reached; `null` when it can. */
  targetProblem(): Promise<string | null>;
}
