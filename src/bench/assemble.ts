import type { ClockAnchor } from '../record/clock.ts';
import type { RunPlan, Warning } from '../record/plan.ts';
import {
  unknownLoad,
  type Calibration,
  type Outcome,
  type RunRecord,
  type RuntimeRecord,
  type TaskOutput,
  type TaskError,
  type TaskRecord,
  type TraceIds,
} from '../record/record.ts';
import { unfinishedError, unfinishedFacts } from '../runner/unfinished.ts';
import type { CancelReason } from '../runner/messages.ts';
import type { Ending, RunNews } from './drive.ts';

export interface RunFrame {
  readonly id: string;
  readonly plan: RunPlan;
  readonly clock: ClockAnchor;
  readonly trace: TraceIds;
  readonly runner: { readonly pid: number; readonly runtime: RuntimeRecord };
  /** Other runs that were in flight at some time during this one. */
  readonly runsInFlight: number;
  readonly spansDropped: boolean;
  /** Whether the run's spans can be looked at where `trace.url` leads. */
  readonly collected: boolean;
  /** What was measured before, for CPU work. */
  readonly calibration: Calibration | null;
  /** Why a task's output is wrong; `null` when it is right. */
  check(output: TaskOutput): TaskError | null;
}

/** Makes a run's record from what was heard of it: every task has one, and every result is checked. */
export function assemble(frame: RunFrame, news: RunNews): RunRecord {
  const { plan } = frame;
  const startedAtNs =
    news.begun?.startedAtNs ??
    (news.ending.kind === 'refused' ? news.ending.refusal.startedAtNs : news.orderedAtNs);
  // A run that was cut before it began has no length.
  const endedAtNs = Math.max(startedAtNs, news.endedAtNs);
  const indexes = Array.from({ length: plan.tasks }, (_, index) => index);
  // A hedged run has only the tasks that it started; one of which nothing was heard has its first.
  const begun = plan.join === 'hedged' ? indexes.filter((index) => isKnown(index, news)) : indexes;
  const tasks = begun.map((index): TaskRecord => {
    const ended = news.ended.get(index);
    return ended === undefined ? unfinished(index, news, endedAtNs) : checked(ended, frame);
  });
  const { outcome, failure } = verdict(plan, news, tasks);
  return {
    id: frame.id,
    plan,
    outcome,
    failure,
    clock: frame.clock,
    trace: { ...frame.trace, signSpanId: news.begun?.signing ? frame.trace.signSpanId : null },
    startedAtNs,
    signing: news.begun?.signing ?? null,
    fanOutStartedAtNs: news.begun?.fanOutStartedAtNs ?? null,
    endedAtNs,
    tasks,
    runtime: frame.runner.runtime,
    runner: { pid: frame.runner.pid, ...(news.load ?? unknownLoad), runsInFlight: frame.runsInFlight },
    isolate: plan.isolate
      ? {
          bridged: news.begun?.bridged ?? false,
          resumesOn: news.begun?.bridged === true ? 'isolated-vm thread' : null,
          startObservedBy: 'host',
        }
      : null,
    calibration: frame.calibration,
    warnings: [...plan.warnings, ...(news.begun?.warnings ?? []), ...disturbances(frame, news)],
  };
}

function checked(task: TaskRecord, frame: RunFrame): TaskRecord {
  if (task.state !== 'ok') return task;
  const error = frame.check(task.output);
  if (error === null) return task;
  const { output: _, ...facts } = task;
  return { ...facts, state: 'failed', error };
}

function unfinished(index: number, { begun, started, ending }: RunNews, atNs: number): TaskRecord {
  const queuedAtNs = begun?.fanOutStartedAtNs ?? null;
  const facts = unfinishedFacts(index, atNs, {
    queuedAtNs,
    admittedAtNs: null,
    started: started.get(index) ?? null,
    attempts: null,
    labels: {},
  });
  switch (ending.kind) {
    case 'refused':
      return {
        ...facts,
        state: 'failed',
        error: unfinishedError(refusedAs(ending), ending.refusal.upstreamCode),
      };
    case 'cut':
      return ending.reason === 'run_timeout'
        ? { ...facts, state: 'failed', error: unfinishedError('run_timeout') }
        : { ...facts, state: 'cancelled' };
    case 'died':
    case 'joined':
      return { ...facts, state: 'failed', error: unfinishedError('runner_crashed') };
  }
}

interface Verdict {
  readonly outcome: Outcome;
  readonly failure: string | null;
}

function verdict(plan: RunPlan, { ending }: RunNews, tasks: readonly TaskRecord[]): Verdict {
  switch (ending.kind) {
    case 'refused':
      return { outcome: refusedAs(ending), failure: ending.refusal.message };
    case 'died':
      return { outcome: 'runner_crashed', failure: 'The process that executed the run died.' };
    case 'cut':
      return { outcome: ending.reason, failure: whyCut(ending.reason, plan) };
    case 'joined':
      return plan.join === 'all' ? verdictOfAll(tasks) : verdictOfFirst(plan, tasks);
  }
}

/** `no_objects` starts no run, so no record is made of it. */
function refusedAs({ refusal }: Extract<Ending, { kind: 'refused' }>) {
  return refusal.code === 'upstream_unavailable' ? refusal.code : 'runner_crashed';
}

function verdictOfAll(tasks: readonly TaskRecord[]): Verdict {
  const failed = tasks.filter(({ state }) => state === 'failed').length;
  if (failed === 0) return { outcome: 'ok', failure: null };
  const all = tasks.length === 1 ? 'The task' : `${failed} of ${tasks.length} tasks`;
  return { outcome: 'tasks_failed', failure: `${all} failed.` };
}

/** One task that is ok makes the run. */
function verdictOfFirst({ join }: RunPlan, tasks: readonly TaskRecord[]): Verdict {
  if (tasks.some(({ state }) => state === 'ok')) return { outcome: 'ok', failure: null };
  if (join !== 'first-valid') return verdictOfAll(tasks);
  const reasons = tasks.flatMap((task) =>
    task.state === 'failed' ? [`task ${task.index}: ${task.error.message}`] : [],
  );
  return { outcome: 'no_valid_answer', failure: `No answer is valid. ${reasons.join('; ')}` };
}

function isKnown(index: number, { started, ended }: RunNews): boolean {
  return index === 0 || started.has(index) || ended.has(index);
}

function whyCut(reason: CancelReason, { timeoutMs }: RunPlan): string {
  switch (reason) {
    case 'run_timeout':
      return `The run was stopped after ${timeoutMs} ms.`;
    case 'cancelled':
      return 'Its client went away.';
    case 'shutting_down':
      return 'The service shut down before the run had ended.';
  }
}

/** A main thread that only waits is saturated when it is busy for so much of its time and turns up so late. */
const saturated = { share: 0.95, delayMs: 20 };

function disturbances(frame: RunFrame, { load }: RunNews): Warning[] {
  const warnings: Warning[] = [];
  if (frame.runsInFlight > 0) {
    const others = frame.runsInFlight === 1 ? '1 other run was' : `${frame.runsInFlight} other runs were`;
    const message = `${others} in flight, so the figures are disturbed.`;
    warnings.push({ code: 'runs_in_flight', message });
  }
  const busy = (load?.eventLoopUtilization ?? 0) > saturated.share;
  const late = (load?.eventLoopDelayMaxMs ?? 0) > saturated.delayMs;
  if (!frame.plan.holdsMainThread && busy && late) {
    const message = "The runner's event loop was saturated, so starts and ends were noticed late.";
    warnings.push({ code: 'event_loop_saturated', message });
  }
  if (!frame.collected) {
    const message = `No collector takes spans, so the link leads nowhere. GET /runs/${frame.id}/trace.json has them.`;
    warnings.push({ code: 'trace_not_collected', message });
  } else if (frame.spansDropped) {
    const message = 'The collector did not take all spans, so the trace may be incomplete.';
    warnings.push({ code: 'spans_dropped', message });
  }
  return warnings;
}
