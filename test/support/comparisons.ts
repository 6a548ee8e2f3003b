import { compare } from '../../src/bench/compare/compare.ts';
import type {
  ComparisonPlan,
  ComparisonRecord,
  OrderEntry,
  Progress,
} from '../../src/bench/compare/comparison.ts';
import { planComparison } from '../../src/bench/compare/plan-comparison.ts';
import type { RunPlan } from '../../src/record/plan.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { recordOf } from './fixtures.ts';
import { targetAt, worldOf } from './run-on-runner.ts';

/** How long a run takes, in milliseconds, or the record that it leaves. */
export type FakeRun = (plan: RunPlan, count: number) => number | Partial<RunRecord>;

export interface FakeComparison {
  readonly record: Promise<ComparisonRecord>;
  /** Every run, those to warm up included. */
  readonly executed: readonly OrderEntry[];
  readonly progress: readonly Progress[];
  readonly calibrated: readonly RunPlan[];
}

/** A comparison as it is asked for, of the emulator's world. */
export function comparisonPlan(
  workload: string,
  given: Readonly<Record<string, string>> = {},
  changes: Partial<ComparisonPlan> = {},
): ComparisonPlan {
  const world = worldOf(targetAt('http://127.0.0.1:1'));
  return { ...planComparison({ workload, given: { seed: '1', ...given }, problems: [] }, world), ...changes };
}

/** Compares on a clock that only runs move on. */
export function compareFake(
  plan: ComparisonPlan,
  run: FakeRun,
  signal: AbortSignal = new AbortController().signal,
): FakeComparison {
  let nowMs = 0;
  const executed: OrderEntry[] = [];
  const progress: Progress[] = [];
  const calibrated: RunPlan[] = [];
  const counts = new Map<string, number>();
  const record = compare(plan, {
    id: 'c',
    work: plan.workload === 'fib' ? 'cpu' : 'wait',
    trace: null,
    signal,
    now: () => nowMs,
    onProgress: (one) => void progress.push(one),
    calibrate: async (alone) => void calibrated.push(alone),
    async execute(one, { round, strategy }) {
      const cell = plan.cells.findIndex(({ plans }) => plans.includes(one));
      const count = counts.get(`${cell} ${strategy}`) ?? 0;
      counts.set(`${cell} ${strategy}`, count + 1);
      executed.push({ round, strategy, cell });
      const ran = run(one, count);
      const made = recordOf({
        id: `${strategy}-${count}`,
        plan: one,
        ...(typeof ran === 'number' ? { startedAtNs: 0, fanOutStartedAtNs: 0, endedAtNs: ran * 1e6 } : ran),
      });
      nowMs += (made.endedAtNs - made.startedAtNs) / 1e6;
      return made;
    },
  });
  return { record, executed, progress, calibrated };
}

/** A run that failed, after these milliseconds. */
export function failedAfter(ms: number, outcome: RunRecord['outcome'] = 'run_timeout'): Partial<RunRecord> {
  return { outcome, failure: 'It failed.', startedAtNs: 0, fanOutStartedAtNs: 0, endedAtNs: ms * 1e6 };
}
