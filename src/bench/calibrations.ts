import { availableParallelism } from 'node:os';
import { nsToMs } from '../record/clock.ts';
import type { RunPlan } from '../record/plan.ts';
import type { Calibration, RunRecord } from '../record/record.ts';

/** How long measuring a task alone may take. */
const limitMs = 2_000;
/** More runs say no more: V8 has compiled the task by then. */
const mostRuns = 20;

/** What tasks of CPU work cost alone on an idle runner, each kind measured once and remembered. */
export class Calibrations {
  readonly #known = new Map<string, Calibration>();

  /** What was measured for tasks of this kind; `null` where nothing was. */
  of(plan: RunPlan): Calibration | null {
    return this.#known.get(keyOf(plan)) ?? null;
  }

  /**
   * Measures a task alone, over and over for 2 s at most, and remembers the smallest time: what disturbs it can only
   * make it longer. A task that takes longer than that stays unknown.
   * @param plan one task on a runner's main thread
   */
  async measure(plan: RunPlan, execute: (plan: RunPlan) => Promise<RunRecord>): Promise<void> {
    if (this.of(plan) !== null) return;
    const startedMs = performance.now();
    let taskMs = Infinity;
    for (let run = 0; run < mostRuns; run += 1) {
      const leftMs = Math.floor(limitMs - (performance.now() - startedMs));
      // Another one like the fastest would not fit.
      if (leftMs < 1 || (taskMs < Infinity && leftMs < taskMs)) break;
      const { outcome, tasks } = await execute({ ...plan, timeoutMs: Math.min(plan.timeoutMs, leftMs) });
      const [task] = tasks;
      if (outcome !== 'ok' || task?.state !== 'ok') break;
      taskMs = Math.min(taskMs, nsToMs(task.endedAtNs - task.startedAtNs));
    }
    if (taskMs < Infinity) this.#known.set(keyOf(plan), { taskMs, cores: availableParallelism() });
  }
}

function keyOf({ workload, runtime, params }: RunPlan): string {
  return JSON.stringify([workload, runtime, params]);
}
