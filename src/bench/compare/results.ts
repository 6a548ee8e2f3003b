import type { ParameterValue, RunPlan, Warning } from '../../record/plan.ts';
import type { Outcome } from '../../record/record.ts';
import type { Analysis } from '../analysis.ts';
import { shareNames, type Shares } from '../shares.ts';
import {
  comparePaired,
  holm,
  summarize,
  verdictOf,
  type PairedComparison,
  type Verdict,
} from '../statistics.ts';
import type { ComparisonRecord, Sample } from './comparison.ts';
import { pairsOf } from './pairs.ts';

/** What running a strategy costs beside time. */
export interface Costs {
  /** Median CPU time of the runner and of the run's process workers. */
  readonly cpuMs: number | null;
  /** Worker threads, child processes and isolates alive at once on behalf of a run, at most. */
  readonly threads: number;
  readonly processes: number;
  readonly isolates: number;
}

/** What was measured of a strategy in a cell. `null`: there are too few samples to say. */
export interface StrategyResult {
  readonly strategy: string;
  /** In the order of rounds, failed ones left out. */
  readonly samplesMs: readonly number[];
  readonly fanOutSamplesMs: readonly number[];
  readonly medianMs: number | null;
  readonly medianCiMs: readonly [number, number] | null;
  readonly p25Ms: number | null;
  readonly p75Ms: number | null;
  readonly minMs: number | null;
  readonly maxMs: number | null;
  /** Above 1: faster than the baseline. */
  readonly speedup: number | null;
  readonly speedupCi: readonly [number, number] | null;
  /** Corrected for the number of strategies in the cell (Holm). */
  readonly pValue: number | null;
  readonly effectSize: number | null;
  readonly verdict: Verdict;
  /** Means over the runs, so that they add up to the mean duration. */
  readonly shares: Shares | null;
  /** Medians over the runs. */
  readonly analysis: Omit<Analysis, 'shares'> | null;
  readonly costs: Costs;
  /** Rounds whose sample lies far outside the others; they count all the same. */
  readonly outliers: readonly number[];
  readonly disturbances: readonly (Warning & { readonly round: number })[];
  readonly failures: readonly { readonly round: number; readonly outcome: Outcome; readonly runId: string }[];
  /** By sample. */
  readonly traceIds: readonly string[];
}

export interface CellResult {
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly results: readonly StrategyResult[];
}

/** What a comparison shows, cell by cell. Pure. */
export function resultsOf({ plan, cells }: ComparisonRecord): readonly CellResult[] {
  return plan.cells.map(({ params, plans }, index) => {
    const samples = cells[index]?.samples ?? new Map<string, readonly Sample[]>();
    const others = plans.filter(({ strategy }) => strategy !== plan.baseline);
    const compared = new Map(
      others.flatMap(({ strategy }): [string, PairedComparison][] => {
        const pairs = pairsOf(samples, plan.baseline, strategy);
        return pairs.length === 0 ? [] : [[strategy, comparePaired(...pairs.columns)]];
      }),
    );
    const corrected = holm([...compared.values()].map(({ pValue }) => pValue));
    const pValues = new Map([...compared.keys()].map((strategy, place) => [strategy, corrected[place] ?? 1]));
    return {
      params,
      results: plans.map((run) => {
        const comparison = compared.get(run.strategy) ?? null;
        const pValue = pValues.get(run.strategy) ?? 1;
        return {
          strategy: run.strategy,
          ...described(samples.get(run.strategy) ?? []),
          speedup: run.strategy === plan.baseline ? 1 : (comparison?.speedup ?? null),
          speedupCi: comparison?.speedupCi ?? null,
          pValue: comparison === null ? null : pValue,
          effectSize: comparison?.effectSize ?? null,
          verdict: verdictFor(run.strategy === plan.baseline, comparison, pValue),
          costs: costsOf(run, samples.get(run.strategy) ?? []),
        };
      }),
    };
  });
}

function verdictFor(isBaseline: boolean, comparison: PairedComparison | null, pValue: number): Verdict {
  if (isBaseline) return 'baseline';
  return comparison === null ? 'no difference shown' : verdictOf(comparison, pValue);
}

type Described = Omit<
  StrategyResult,
  'strategy' | 'speedup' | 'speedupCi' | 'pValue' | 'effectSize' | 'verdict' | 'costs'
>;

function described(samples: readonly Sample[]): Described {
  const ok = samples.flatMap((sample) =>
    sample.durationMs === null ? [] : [{ ...sample, durationMs: sample.durationMs }],
  );
  const samplesMs = ok.map(({ durationMs }) => durationMs);
  const summary = samplesMs.length === 0 ? nothing : summarize(samplesMs);
  return {
    samplesMs,
    fanOutSamplesMs: ok.flatMap(({ fanOutMs }) => (fanOutMs === null ? [] : [fanOutMs])),
    ...summary,
    outliers: summary.outliers.map((index) => ok[index]?.round ?? 0),
    shares: ok.length === 0 ? null : meanShares(ok),
    analysis: ok.length === 0 ? null : medianAnalysis(ok),
    disturbances: samples.flatMap(({ round, disturbances }) =>
      disturbances.map((warning) => ({ round, ...warning })),
    ),
    failures: samples.flatMap(({ round, outcome, runId }) =>
      outcome === 'ok' ? [] : [{ round, outcome, runId }],
    ),
    traceIds: ok.map(({ traceId }) => traceId),
  };
}

const nothing = {
  medianMs: null,
  medianCiMs: null,
  p25Ms: null,
  p75Ms: null,
  minMs: null,
  maxMs: null,
  outliers: [],
};

function meanShares(samples: readonly Sample[]): Shares {
  const mean = (name: keyof Shares): number =>
    samples.reduce((total, { analysis }) => total + analysis.shares[name], 0) / samples.length;
  const [signing, queue, prepare, run, contention, handBack, other] = shareNames.map(mean);
  return {
    signing: signing ?? 0,
    queue: queue ?? 0,
    prepare: prepare ?? 0,
    run: run ?? 0,
    contention: contention ?? 0,
    handBack: handBack ?? 0,
    other: other ?? 0,
  };
}

function medianAnalysis(samples: readonly Sample[]): Omit<Analysis, 'shares'> {
  return {
    parallelism: median(samples.map(({ analysis }) => analysis.parallelism)),
    limitMs: median(samples.map(({ analysis }) => analysis.limitMs)),
    limitedBy: samples[0]?.analysis.limitedBy ?? 'unknown',
    efficiency: median(samples.map(({ analysis }) => analysis.efficiency)),
  };
}

function costsOf({ runsOn, isolate, workers }: RunPlan, samples: readonly Sample[]): Costs {
  return {
    cpuMs: median(samples.map(({ cpuMs }) => cpuMs)),
    threads: runsOn === 'worker-thread' || runsOn === 'isolate-threads' ? workers : 0,
    processes: runsOn === 'child-process' ? workers : 0,
    isolates: isolate ? workers : 0,
  };
}

/** `null` when nothing is known. Values may be 0. */
function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const [lower, upper] = [known[Math.ceil(known.length / 2) - 1], known[Math.floor(known.length / 2)]];
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2;
}
