import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { clockFrom } from '../record/clock.ts';
import type { RunPlan } from '../record/plan.ts';
import type { RunRecord, SpanIds } from '../record/record.ts';
import type { RunOrder } from '../runner/messages.ts';
import { analyse } from './analysis.ts';
import { assemble } from './assemble.ts';
import { drive } from './drive.ts';
import { Flights } from './flights.ts';
import type { BenchParts } from './parts.ts';
import { workloadNamed } from './plan.ts';

/** A run that is over. */
export interface Executed {
  readonly record: RunRecord;
  /** Settles when it is kept and its spans are made. Never rejects. */
  readonly written: Promise<void>;
}

/** Executes plans on runners, whoever let them in, and writes down what came of them. */
export class Execution {
  readonly #parts: BenchParts;
  readonly #flights = new Flights();
  readonly #beingWritten = new Set<Promise<void>>();

  constructor(parts: BenchParts) {
    this.#parts = parts;
  }

  /**
   * Executes a run, keeps it and makes its spans: in the active trace, or in one of its own that is linked.
   * @param onBegin called when it has its runner
   * @throws BenchError `no_objects`, `busy` when no runner can be started; the signal's reason when it fires first
   */
  async run(
    plan: RunPlan,
    signal: AbortSignal,
    onBegin: () => void,
    linkedTo: SpanIds | null = null,
  ): Promise<Executed> {
    const room = await this.#parts.telemetry.reserveRoom(plan, signal);
    try {
      const record = await this.#execute(plan, signal, onBegin, linkedTo);
      const written = this.#writeDown(record)
        .catch(this.#parts.reportFault)
        .finally(() => {
          room.release();
          this.#beingWritten.delete(written);
        });
      this.#beingWritten.add(written);
      return { record, written };
    } catch (error) {
      room.release();
      throw error;
    }
  }

  /** Executes a run of which nothing is kept and no span is made. Fails as {@link run} does. */
  async measure(plan: RunPlan, signal: AbortSignal): Promise<RunRecord> {
    return this.#execute(plan, signal, () => undefined, null);
  }

  async #execute(
    plan: RunPlan,
    signal: AbortSignal,
    onBegin: () => void,
    linkedTo: SpanIds | null,
  ): Promise<RunRecord> {
    const { world, supervisor, telemetry, calibrations } = this.#parts;
    // The wait for a runner is part of what precedes the run.
    const clock = telemetry.anchorClock();
    const lease = await supervisor.lease(plan, signal).catch((cause: unknown) => {
      if (signal.aborted) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BenchError('busy', `No process could be started for the run: ${reason}.`, { cause });
    });
    onBegin();
    const flight = this.#flights.begin();
    try {
      const trace = telemetry.allotIds(plan, linkedTo);
      const droppedBefore = telemetry.counts.dropped;
      const order: RunOrder = {
        runId: randomUUID(),
        plan,
        target: world.target,
        maxWorkers: lease.mostAlive,
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
          calibration: calibrations.of(plan),
          check: (output) => declaration.check(output, plan.params),
        },
        news,
      );
    } finally {
      flight.end();
      lease.release();
    }
  }

  /** Resolves when the runs that are over have been written down. */
  async written(): Promise<void> {
    await Promise.allSettled(this.#beingWritten);
  }

  /** Keeps, tells, counts and traces a run, when its answer is on its way. */
  async #writeDown(record: RunRecord): Promise<void> {
    const { archive, reportRun, telemetry, world } = this.#parts;
    await nextTurn();
    await archive.add(record);
    reportRun(record);
    const { work } = workloadNamed(record.plan.workload, world);
    await telemetry.metrics.ran(record, analyse(record, work));
    await telemetry.emit(record);
  }
}
