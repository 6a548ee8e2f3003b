import { semantic } from '../../otel/names.ts';
import { converse } from './bedrock-converse.ts';
import { inItsWords, invalid, requestIdHeader } from './bedrock-errors.ts';
import type { ModelInterface } from './bedrock-interface.ts';
import { invoke } from './bedrock-invoke.ts';
import { modelIdOf } from './bedrock-model-id.ts';
import { readPrompt } from './bedrock-prompt.ts';
import { scheduleOf } from './bedrock-schedule.ts';
import { eventStreamType } from './event-stream.ts';
import { commonFaults, modelFaults, type FaultKind } from './faults.ts';
import { lastUserText, replyTo, type Mood, type Prompt } from './reply.ts';
import type { Circumstances, EmulatedAnswer, EmulatedService } from './service.ts';

/** Bedrock Runtime for Anthropic's models: Converse and InvokeModel, streamed or not. */
export function emulateBedrock(): EmulatedService {
  return {
    signingName: 'bedrock',
    faults: [...commonFaults, ...modelFaults],
    takes: ({ path }) => path.startsWith('/model/'),
    identify({ method, path, body }) {
      const { encodedId = '', action } = pathForm.exec(path)?.groups ?? {};
      const found = actions.find(({ name }) => name === action);
      if (method !== 'POST' || found === undefined) return null;
      const { form, streamed } = found;
      const operation = streamed ? form.streamOperation : form.operation;
      const modelId = modelIdOf(encodedId);
      const prompt = readPrompt(form, body);
      return {
        operation,
        family: form.operation,
        key: typeof prompt === 'string' ? '' : lastUserText(prompt.turns),
        attributes: { [semantic.rpcMethod]: `BedrockRuntime/${operation}` },
        answer(circumstances) {
          if (modelId === null) return invalid('The provided model identifier is invalid.');
          if (typeof prompt === 'string') return invalid(prompt);
          return answer({ form, streamed, modelId }, prompt, circumstances);
        },
      };
    },
    refuse: inItsWords,
  };
}

const pathForm = /^\/model\/(?<encodedId>.+)\/(?<action>[a-z-]+)$/;

const actions = [
  { name: 'converse', form: converse, streamed: false },
  { name: 'converse-stream', form: converse, streamed: true },
  { name: 'invoke', form: invoke, streamed: false },
  { name: 'invoke-with-response-stream', form: invoke, streamed: true },
];

interface Call {
  readonly form: ModelInterface;
  readonly streamed: boolean;
  readonly modelId: string;
}

/**
 * A stream's head is sent with its first token: until a model writes, Bedrock may still answer with an error, and
 * its status is in the head.
 */
function answer(
  { form, streamed, modelId }: Call,
  prompt: Prompt,
  { pace, fault }: Circumstances,
): EmulatedAnswer {
  const reply = replyTo(prompt, moodOf(fault));
  const schedule = scheduleOf(reply, pace);
  if (streamed) {
    const headers = { 'content-type': eventStreamType, ...requestIdHeader(), ...form.streamHeaders };
    const body = form.stream(reply, schedule, modelId);
    return { status: 200, headers, body, readyMs: schedule.firstTokenMs };
  }
  const headers = {
    'content-type': 'application/json',
    ...requestIdHeader(),
    'x-amzn-bedrock-invocation-latency': String(Math.round(schedule.totalMs)),
    'x-amzn-bedrock-input-token-count': String(reply.inputTokens),
    'x-amzn-bedrock-output-token-count': String(reply.tokens.length),
  };
  const body = new TextEncoder().encode(JSON.stringify(form.whole(reply, schedule, modelId)));
  return { status: 200, headers, body, readyMs: schedule.totalMs };
}

function moodOf(fault: FaultKind | null): Mood {
  return fault === 'nonsense' || fault === 'empty' ? fault : 'asked';
}
