import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Supervisor } from '../runner/supervisor.ts';
import { shuttingDownError } from './admission.ts';
import type { Bench, BenchEnd, ReadinessCheck } from './bench.ts';
import { compare } from './compare/compare.ts';
import { Ending } from './ending.ts';
import { Execution } from './execute.ts';
import type { BenchParts } from './parts.ts';
import { workloadNamed } from './plan.ts';

/** Puts the core together: admission, a runner, the record, and what is made of it. */
export function createBench(parts: BenchParts): Bench & BenchEnd {
  const { admission, calibrations, telemetry, world } = parts;
  const execution = new Execution(parts);
  const ending = new Ending();
  const settled = async (): Promise<void> => {
    while (admission.runsInFlight > 0) await sleep(5);
    await execution.written();
  };
  return {
    run: (plan, clientSignal) =>
      ending.withSignal(clientSignal, async (signal) => {
        const askedMs = performance.now();
        const leave = await admission.enter(plan, signal);
        const begun = (): void => telemetry.metrics.begun(plan, performance.now() - askedMs);
        try {
          return (await execution.run(plan, signal, begun)).record;
        } finally {
          leave();
        }
      }),
    compare: (plan, clientSignal, onProgress) =>
      ending.withSignal(clientSignal, async (signal) => {
        const leave = await admission.enterAlone(signal);
        const id = randomUUID();
        const trace = telemetry.beginComparison({ id, workload: plan.workload });
        let failure: unknown = null;
        try {
          return await compare(plan, {
            id,
            work: workloadNamed(plan.workload, world).work,
            trace: trace.ids,
            signal,
            now: () => performance.now(),
            onProgress,
            calibrate: (alone) => calibrations.measure(alone, (one) => execution.measure(one, signal)),
            execute: (run, round) =>
              trace.standFor(round, async (linkedTo) => {
                const { record, written } = await execution.run(run, signal, () => undefined, linkedTo);
                // What is left to do would disturb the next run.
                await written;
                return record;
              }),
          });
        } catch (error) {
          failure = error;
          throw error;
        } finally {
          trace.end(failure);
          leave();
        }
      }),
    traceJson: (record) => telemetry.traceJson(record),
    settled,
    async giveUp() {
      ending.end(shuttingDownError());
      await settled();
    },
    async readiness() {
      // Looking for a runner would start one that nobody ends.
      if (admission.closed) return [checkOf('service', shuttingDownError().message)];
      return [await checkRunner(parts.supervisor), checkOf('target', await parts.targetProblem())];
    },
  };
}

async function checkRunner(supervisor: Supervisor): Promise<ReadinessCheck> {
  try {
    await supervisor.standby();
    return checkOf('runner', null);
  } catch (error) {
    return checkOf('runner', error instanceof Error ? error.message : String(error));
  }
}

function checkOf(name: string, problem: string | null): ReadinessCheck {
  return { name, ok: problem === null, problem };
}
