import { analyse, type Analysis } from '../bench/analysis.ts';
import type { Shares } from '../bench/shares.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';
import { betweenMs, nsToMs, roundedMs } from '../record/clock.ts';
import {
  queueMs,
  type IntervalNs,
  type LlmRecord,
  type RunRecord,
  type TaskRecord,
} from '../record/record.ts';

/**
 * The body of a run. Times are milliseconds from the run's start, to the microsecond; `null` is what was not observed
 * or is not known.
 */
export function runView(
  record: RunRecord,
  { work, answersParameter }: Pick<WorkloadDeclaration, 'work' | 'answersParameter'>,
  traceUrlTemplate: string,
) {
  const { plan, trace, runner, signing } = record;
  const tellsAnswers = answersParameter !== null && plan.params[answersParameter] === true;
  return {
    run: {
      id: record.id,
      workload: plan.workload,
      strategy: plan.strategy,
      access: plan.access,
      tasks: plan.tasks,
      concurrency: plan.concurrency,
      pool: plan.pool,
      client: plan.client,
      join: plan.join,
      hedgeAfterMs: plan.hedgeAfterMs,
      validate: plan.validate,
      attempts: plan.attempts,
      detail: plan.detail,
      timeoutMs: plan.timeoutMs,
      runtime: record.runtime,
      target: plan.target,
      params: plan.params,
    },
    outcome: record.outcome,
    durationMs: rounded(nsToMs(record.endedAtNs - record.startedAtNs)),
    fanOutMs: rounded(betweenMs(record.fanOutStartedAtNs, record.endedAtNs)),
    signing: signing === null ? null : { durationMs: rounded(nsToMs(signing.toNs - signing.fromNs)) },
    tasks: record.tasks.map((task) => taskView(record, task, tellsAnswers)),
    callsSpent: plan.join === 'hedged' ? record.tasks.filter(began).length : null,
    analysis: roundedAnalysis(analyse(record, work)),
    isolate: record.isolate,
    runner: {
      pid: runner.pid,
      eventLoopDelayMaxMs: rounded(runner.eventLoopDelayMaxMs),
      eventLoopUtilization: rounded(runner.eventLoopUtilization),
      cpuMs: rounded(runner.cpuMs),
      runsInFlight: runner.runsInFlight,
    },
    warnings: record.warnings,
    trace: {
      traceId: trace.traceId,
      spanId: trace.runSpanId,
      sampled: trace.sampled,
      url: traceUrlTemplate.replaceAll('{traceId}', trace.traceId),
    },
  };
}

function began({ startedAtNs }: TaskRecord): boolean {
  return startedAtNs !== null;
}

function taskView(record: RunRecord, task: TaskRecord, tellsAnswers: boolean) {
  const phases = task.attempts?.at(-1)?.phases;
  return {
    index: task.index,
    state: task.state,
    queueMs: rounded(queueMs(task)),
    prepareMs: rounded(betweenMs(task.admittedAtNs, task.startedAtNs)),
    startMs: rounded(betweenMs(record.startedAtNs, task.startedAtNs)),
    endMs: rounded(betweenMs(record.startedAtNs, task.endedAtNs)),
    handBackMs: rounded(betweenMs(task.endedAtNs, task.returnedAtNs)),
    cpuMs: task.cpuNs === null ? null : rounded(nsToMs(task.cpuNs)),
    pid: task.pid,
    threadId: task.threadId,
    reused: task.reused,
    attempts: task.attempts?.length ?? null,
    bytes: task.state === 'ok' ? (task.output.body?.bytes ?? null) : null,
    value: task.state === 'ok' ? task.output.value : null,
    llm: task.state === 'ok' ? llmView(task.output.llm) : null,
    ...(tellsAnswers && { answer: task.state === 'ok' ? task.output.text : null }),
    error: task.state === 'failed' ? task.error : null,
    phases: {
      dnsMs: lengthMs(phases?.dns),
      connectMs: lengthMs(phases?.connect),
      tlsMs: lengthMs(phases?.tls),
      ttfbMs: lengthMs(phases?.ttfb),
      downloadMs: lengthMs(phases?.download),
    },
  };
}

function llmView(llm: LlmRecord | null) {
  if (llm === null) return null;
  const { timeToFirstTokenMs, timePerOutputTokenMs } = llm;
  return {
    ...llm,
    timeToFirstTokenMs: rounded(timeToFirstTokenMs),
    timePerOutputTokenMs: rounded(timePerOutputTokenMs),
  };
}

function lengthMs(interval: IntervalNs | null | undefined): number | null {
  return interval === null || interval === undefined
    ? null
    : rounded(nsToMs(interval.toNs - interval.fromNs));
}

function roundedAnalysis({ parallelism, limitMs, limitedBy, efficiency, shares }: Analysis): Analysis {
  return {
    parallelism: rounded(parallelism),
    limitMs: rounded(limitMs),
    limitedBy,
    efficiency: rounded(efficiency),
    shares: roundedShares(shares),
  };
}

export function roundedShares({ signing, queue, prepare, run, contention, handBack, other }: Shares): Shares {
  return {
    signing: rounded(signing),
    queue: rounded(queue),
    prepare: rounded(prepare),
    run: rounded(run),
    contention: rounded(contention),
    handBack: rounded(handBack),
    other: rounded(other),
  };
}

function rounded<Value extends number | null>(value: Value): Value;
function rounded(value: number | null): number | null {
  return value === null ? null : roundedMs(value);
}
