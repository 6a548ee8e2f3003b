import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { TargetSettings } from '../aws/target.ts';
import { BenchError } from '../errors.ts';
import { clockFrom, type ClockAnchor } from '../record/clock.ts';
import type { RunPlan } from '../record/plan.ts';
import type { RunRecord, TraceIds } from '../record/record.ts';
import type { RunOrder } from '../runner/messages.ts';
import type { Supervisor } from '../runner/supervisor.ts';
import type { Admission } from './admission.ts';
import type { RunArchive } from './archive.ts';
import { assemble } from './assemble.ts';
import type { Bench, BenchEnd, ReadinessCheck } from './bench.ts';
import { drive, shuttingDown } from './drive.ts';
import { Flights } from './flights.ts';
import { workloadNamed } from './plan.ts';
import type { World } from './world.ts';

/** What the core asks of telemetry. */
export interface BenchTelemetry {
  /** Waits until the spans of a run can be taken without losing any. */
  reserveRoom(plan: RunPlan, signal: AbortSignal): Promise<{ release(): void }>;
  allotIds(plan: RunPlan): TraceIds;
  /** The clock of a run that starts now. */
  anchorClock(): ClockAnchor;
  /** Makes the record's spans. */
  emit(record: RunRecord): Promise<void>;
  traceJson(record: RunRecord): Promise<string>;
  /** `traceparent` values by task index; `null` where the run is not traced. */
  traceparents(ids: TraceIds): readonly string[] | null;
  readonly counts: { readonly dropped: number };
  /** `null` where spans are sent to no collector. */
  readonly collectorUrl: string | null;
  /** Whether the collector takes spans, as far as is known. */
  readonly accepting: boolean;
}

export interface BenchParts {
  readonly world: World;
  readonly admission: Admission;
  readonly supervisor: Supervisor;
  readonly telemetry: BenchTelemetry;
  readonly archive: RunArchive;
  /** Hears of every run, once its record is made. */
  readonly reportRun: (record: RunRecord) => void;
  /** Hears of what went wrong after a run's answer was sent. */
  readonly reportFault: (error: unknown) => void;
  /** Whether the target can be reached. */
  checkTarget(target: TargetSettings): Promise<ReadinessCheck>;
}

/** Puts the core together: admission, a runner, the record, and what is made of it. */
export function createBench(parts: BenchParts): Bench & BenchEnd {
  const flights = new Flights();
  const beingWritten = new Set<Promise<void>>();
  const ending = new AbortController();
  const settled = async (): Promise<void> => {
    while (parts.admission.runsInFlight > 0) await sleep(5);
    await Promise.allSettled(beingWritten);
  };
  return {
    async run(plan, clientSignal) {
      const signal = AbortSignal.any([clientSignal, ending.signal]);
      const leave = await parts.admission.enter(plan.workers, signal);
      try {
        const room = await parts.telemetry.reserveRoom(plan, signal);
        try {
          const record = await execute(plan, signal, parts, flights);
          const written = writeDown(record, parts)
            .catch(parts.reportFault)
            .finally(() => {
              room.release();
              beingWritten.delete(written);
            });
          beingWritten.add(written);
          return record;
        } catch (error) {
          room.release();
          throw error;
        }
      } finally {
        leave();
      }
    },
    traceJson: (record) => parts.telemetry.traceJson(record),
    settled,
    async giveUp() {
      ending.abort(shuttingDown);
      await settled();
    },
    readiness: async () => [await checkRunner(parts.supervisor), await parts.checkTarget(parts.world.target)],
  };
}

/** Keeps, tells and traces a run, when its answer is on its way. */
async function writeDown(record: RunRecord, { archive, reportRun, telemetry }: BenchParts): Promise<void> {
  await nextTurn();
  archive.add(record);
  reportRun(record);
  await telemetry.emit(record);
}

/** @throws BenchError `no_objects`, `busy` when no runner can be started; the signal's reason when it fires first */
async function execute(
  plan: RunPlan,
  signal: AbortSignal,
  { world, supervisor, telemetry }: BenchParts,
  flights: Flights,
): Promise<RunRecord> {
  const lease = await supervisor.lease(plan, signal).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BenchError('busy', `No process could be started for the run: ${reason}.`, { cause });
  });
  const flight = flights.begin();
  try {
    const trace = telemetry.allotIds(plan);
    const clock = telemetry.anchorClock();
    const droppedBefore = telemetry.counts.dropped;
    const order: RunOrder = {
      runId: randomUUID(),
      plan,
      target: world.target,
      originNs: clock.originNs,
      traceparents: telemetry.traceparents(trace),
    };
    const news = await drive(order, lease.runner, clockFrom(clock.originNs), signal);
    if (news.ending.kind === 'refused' && news.ending.refusal.code === 'no_objects') {
      throw new BenchError('no_objects', news.ending.refusal.message);
    }
    const declaration = workloadNamed(plan.workload, world);
    return assemble(
      {
        id: order.runId,
        plan,
        clock,
        trace,
        runner: lease.runner,
        runsInFlight: flight.others,
        spansDropped: telemetry.counts.dropped > droppedBefore,
        collected: telemetry.collectorUrl === null || telemetry.accepting || !trace.sampled,
        isolate: world.strategies.some(
          ({ declaration: { name, isolate } }) => name === plan.fanOut && isolate,
        ),
        check: (output) => declaration.check(output, plan.params),
      },
      news,
    );
  } finally {
    flight.end();
    lease.release();
  }
}

async function checkRunner(supervisor: Supervisor): Promise<ReadinessCheck> {
  try {
    await supervisor.shared('plain');
    return { name: 'runner', ok: true, problem: null };
  } catch (error) {
    return { name: 'runner', ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
