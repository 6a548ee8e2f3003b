import type { Attributes } from '@opentelemetry/api';
import { betweenMs } from '../src/record/clock.ts';
import {
  queueMs,
  type AttemptRecord,
  type IntervalNs,
  type LlmRecord,
  type RunRecord,
  type TaskRecord,
} from '../src/record/record.ts';
import { runAttribute, semantic, taskAttribute } from './names.ts';
import { redactUrl } from './redaction.ts';

export function runAttributes({ id, plan, outcome }: RunRecord): Attributes {
  return known({
    [runAttribute.id]: id,
    [runAttribute.workload]: plan.workload,
    [runAttribute.strategy]: plan.strategy,
    [runAttribute.access]: plan.access,
    [runAttribute.tasks]: plan.tasks,
    [runAttribute.concurrency]: plan.concurrency,
    [runAttribute.pool]: plan.pool,
    [runAttribute.join]: plan.join,
    [runAttribute.client]: plan.client,
    [runAttribute.runtime]: plan.runtime,
    [runAttribute.target]: plan.target,
    [runAttribute.outcome]: outcome,
  });
}

/** @param withContent whether a model's words are told (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`) */
export function taskAttributes(task: TaskRecord, withContent: boolean): Attributes {
  const attempts = task.attempts ?? [];
  const attempt = attempts.at(-1);
  return {
    ...known({
      [taskAttribute.index]: task.index,
      [taskAttribute.state]: task.state,
      [taskAttribute.started]: task.startedAtNs === null ? false : null,
      [taskAttribute.reused]: task.reused,
      [taskAttribute.queueMs]: queueMs(task),
      [taskAttribute.prepareMs]: betweenMs(task.admittedAtNs, task.startedAtNs),
      [taskAttribute.handBackMs]: betweenMs(task.endedAtNs, task.returnedAtNs),
      [taskAttribute.upstreamCode]: task.state === 'failed' ? task.error.upstreamCode : null,
      [semantic.processPid]: task.pid,
      [semantic.threadId]: task.threadId,
    }),
    ...(attempt !== undefined && exchangeAttributes(attempt, attempts.length)),
    ...labelsOf(task, withContent),
    ...(task.state === 'ok' && task.output.llm !== null && answerAttributes(task.output.llm)),
    ...(withContent && contentAttributes(task)),
  };
}

/** Content is left out unless it is asked for. */
function labelsOf({ labels }: TaskRecord, withContent: boolean): Attributes {
  const { [semantic.genAiInputMessages]: _, ...others } = labels;
  return withContent ? labels : others;
}

/** As the GenAI conventions write messages. */
function contentAttributes(task: TaskRecord): Attributes {
  if (task.state !== 'ok' || task.output.llm === null) return {};
  const { text, llm } = task.output;
  const parts = [{ type: 'text', content: text ?? '' }];
  const message = { role: 'assistant', parts, finish_reason: llm.stopReason };
  return { [semantic.genAiOutputMessages]: JSON.stringify([message]) };
}

function answerAttributes(llm: LlmRecord): Attributes {
  const { stopReason, timeToFirstTokenMs } = llm;
  return {
    ...(stopReason !== null && { [semantic.genAiFinishReasons]: [stopReason] }),
    ...known({
      [semantic.genAiInputTokens]: llm.inputTokens,
      [semantic.genAiOutputTokens]: llm.outputTokens,
      // The conventions count it in seconds.
      [semantic.genAiTimeToFirstChunk]: timeToFirstTokenMs === null ? null : timeToFirstTokenMs / 1000,
    }),
  };
}

function exchangeAttributes(attempt: AttemptRecord, attempts: number): Attributes {
  const { phases } = attempt;
  return {
    ...attemptAttributes(attempt, attempts - 1),
    ...known({
      [taskAttribute.dnsMs]: lengthMs(phases.dns),
      [taskAttribute.connectMs]: lengthMs(phases.connect),
      [taskAttribute.tlsMs]: lengthMs(phases.tls),
      [taskAttribute.ttfbMs]: lengthMs(phases.ttfb),
      [taskAttribute.downloadMs]: lengthMs(phases.download),
    }),
  };
}

/** The HTTP client conventions' attributes of one exchange. @param resends how often it was sent before */
export function attemptAttributes(attempt: AttemptRecord, resends: number): Attributes {
  const url = URL.parse(attempt.url);
  return known({
    [semantic.requestMethod]: attempt.method,
    [semantic.urlFull]: redactUrl(attempt.url),
    [semantic.serverAddress]: url === null ? null : url.hostname,
    [semantic.serverPort]: url === null ? null : portOf(url),
    [semantic.responseStatus]: attempt.statusCode,
    [semantic.resendCount]: resends > 0 ? resends : null,
  });
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function lengthMs(interval: IntervalNs | null): number | null {
  return interval === null ? null : betweenMs(interval.fromNs, interval.toNs);
}

/** An attribute that is not known is left out: OpenTelemetry has no null. */
function known(attributes: Readonly<Record<string, string | number | boolean | null>>): Attributes {
  const kept: Attributes = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== null) kept[name] = value;
  }
  return kept;
}
