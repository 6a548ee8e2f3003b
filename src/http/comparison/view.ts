import type { ComparisonRecord } from '../../bench/compare/comparison.ts';
import { crossoversOf } from '../../bench/compare/crossovers.ts';
import { recommend } from '../../bench/compare/recommendation.ts';
import { resultsOf, type StrategyResult } from '../../bench/compare/results.ts';
import type { EmulatorSettings } from '../../emulator/settings.ts';
import type { TargetName } from '../../record/plan.ts';
import { roundedMs } from '../../record/clock.ts';
import { roundedShares } from '../view.ts';

/** What a comparison was made with, as far as the service knows of itself. */
export interface Surroundings {
  readonly target: TargetName;
  /** `null`: nothing is emulated. */
  readonly emulator: EmulatorSettings | null;
  /** Of this service, and of the packages whose work is measured. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The body of a comparison. Times are milliseconds; `null`: too few samples to say. */
export function comparisonView(
  record: ComparisonRecord,
  { target, emulator, versions }: Surroundings,
  traceUrlTemplate: string,
) {
  const { plan } = record;
  const cells = resultsOf(record);
  const crossovers = crossoversOf(plan, cells);
  const urlOf = (traceId: string): string => traceUrlTemplate.replaceAll('{traceId}', traceId);
  return {
    comparison: {
      id: record.id,
      workload: plan.workload,
      baseline: plan.baseline,
      rounds: record.rounds,
      warmup: plan.warmup,
      seed: plan.seed,
      stoppedBy: record.stoppedBy,
      startedAt: record.startedAt,
      durationMs: roundedMs(record.durationMs),
    },
    machine: {
      ...record.machine,
      load: record.load,
      target,
      emulator:
        emulator === null
          ? null
          : { latencyMs: emulator.latencyMs, seed: emulator.seed, faults: emulator.faults.length },
      runtimes: record.runtimes,
      versions,
    },
    order: record.order,
    cells: cells.map((cell, index) => ({
      params: cell.params,
      results: cell.results.map((result) => resultView(result, urlOf)),
      recommendation: recommend(record, index, cell, crossovers),
    })),
    crossovers,
    warnings: record.warnings,
    trace: record.trace && { ...record.trace, url: urlOf(record.trace.traceId) },
  };
}

export type ComparisonView = ReturnType<typeof comparisonView>;
export type ResultView = ReturnType<typeof resultView>;

function resultView(result: StrategyResult, urlOf: (traceId: string) => string) {
  const { analysis, shares, traceIds, ...rest } = result;
  return {
    ...rest,
    samplesMs: result.samplesMs.map(roundedMs),
    fanOutSamplesMs: result.fanOutSamplesMs.map(roundedMs),
    medianMs: rounded(result.medianMs),
    medianCiMs: roundedPair(result.medianCiMs),
    p25Ms: rounded(result.p25Ms),
    p75Ms: rounded(result.p75Ms),
    minMs: rounded(result.minMs),
    maxMs: rounded(result.maxMs),
    speedup: ratio(result.speedup),
    speedupCi: ratioPair(result.speedupCi),
    pValue: result.pValue === null ? null : Number(result.pValue.toPrecision(3)),
    effectSize: rounded(result.effectSize),
    shares: shares === null ? null : roundedShares(shares),
    analysis: analysis && {
      parallelism: ratio(analysis.parallelism),
      limitMs: rounded(analysis.limitMs),
      limitedBy: analysis.limitedBy,
      efficiency: ratio(analysis.efficiency),
    },
    costs: { ...result.costs, cpuMs: rounded(result.costs.cpuMs) },
    traces: traceIds.map(urlOf),
  };
}

/** By digits, not by decimals: what is a thousand times as slow has a speed-up, too. */
function ratio<Value extends number | null>(value: Value): Value;
function ratio(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6));
}

function ratioPair(pair: readonly [number, number] | null): readonly [number, number] | null {
  return pair === null ? null : [ratio(pair[0]), ratio(pair[1])];
}

function rounded(value: number | null): number | null {
  return value === null ? null : roundedMs(value);
}

function roundedPair(pair: readonly [number, number] | null): readonly [number, number] | null {
  return pair === null ? null : [roundedMs(pair[0]), roundedMs(pair[1])];
}
