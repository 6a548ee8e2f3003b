import { operationName, type ModelCall } from '../aws/bedrock-call.ts';
import type { PlainRequest } from '../aws/client.ts';
import { errorCodeOf, isTransient } from '../aws/transient.ts';
import { upstreamWord } from '../aws/upstream-word.ts';
import { semantic } from '../../otel/names.ts';
import type { RunPlan } from '../record/plan.ts';
import type { TargetSettings } from '../aws/target.ts';
import type { Labels } from '../record/record.ts';
import { readAnswer, StreamedAnswer, type ModelOperation } from './bedrock-answer.ts';
import { promptOf } from './bedrock-prompt.ts';
import type { WorkloadEntry } from './entry.ts';
import { signingOf, type PrepareInputs } from './inputs.ts';
import { failed, ok, wrong, type Answer, type HttpTask, type SdkTask, type TaskResult } from './task.ts';

/** Enough for every answer that is asked for. */
const maxTokens = 256;

export const bedrock: WorkloadEntry = {
  declaration: {
    name: 'bedrock',
    summary: 'Asks a Claude model on Amazon Bedrock one small question a task.',
    work: 'io',
    blocksThread: 'never',
    accesses: ['sdk', 'presigned'],
    clients: ['got', 'undici'],
    service: 'bedrock',
    validations: ['nonempty', 'json', 'sql'],
    defaultTasks: 3,
    defaultStrategy: 'presigned-async',
    params: {
      op: {
        kind: 'choice',
        summary: "In which form the model is asked: Bedrock's own, or its maker's.",
        values: ['converse', 'invoke'],
        default: 'converse',
      },
      stream: { kind: 'boolean', summary: 'Whether the answer comes token by token.', default: false },
      answers: { kind: 'boolean', summary: "Whether the run's JSON tells the answers.", default: false },
    },
    answersParameter: 'answers',
    sharedSettings: [
      { setting: 'attempts', value: 'the run parameter attempts, one policy for every client' },
      {
        setting: 'sockets',
        value:
          'as many as tasks run at once, kept alive within a run, with pool=warm from run to run (the SDK alone: sessions of HTTP/2)',
      },
      { setting: 'protocol', value: 'HTTP/1.1 (the SDK alone: HTTP/2), no decompression' },
      { setting: 'model', value: 'BEDROCK_MODEL_ID, at most 256 tokens, temperature 0' },
      { setting: 'signature', value: 'in the headers, good for 5 minutes' },
      { setting: 'streams', value: "decoded by the SDK's own codec on both sides" },
      {
        setting: 'client',
        value: 'one a process or thread, made for the run, with pool=warm kept from run to run',
      },
    ],
    missingSetting: ({ bedrock: { modelId } }) =>
      modelId === null ? 'Set BEDROCK_MODEL_ID to the id of a Claude model that your account may use.' : null,
    check: ({ llm }) => (llm === null ? wrong('there is no answer') : null),
  },
  load: async () => ({ sdk, presigned, prepareInputs }),
};

interface SignedCall {
  readonly operation: ModelOperation;
  readonly streamed: boolean;
  readonly request: PlainRequest;
}

export const presigned: HttpTask<SignedCall> = {
  uses: 'http',
  async run({ operation, streamed, request }, send) {
    const exchange = await send(request, streamed ? 'event-stream' : 'text');
    if (exchange.state === 'failed') return exchange;
    if (exchange.statusCode !== 200) return refused(exchange, operationName({ operation, streamed }));
    return streamed ? heardFrom(operation, exchange) : wholeFrom(operation, exchange);
  },
};

function refused({ statusCode, headers, text }: Answer, asked: string): TaskResult {
  const code = errorCodeOf(headers, text) ?? String(statusCode);
  const message = `Bedrock answered ${statusCode} ${code} for ${asked}`;
  return failed({ code: 'upstream_error', message, upstreamCode: code }, isTransient(statusCode, code));
}

function wholeFrom(operation: ModelOperation, { text }: Answer): TaskResult {
  try {
    return ok(readAnswer(operation, JSON.parse(text ?? '')));
  } catch {
    // V8's own words quote the answer, which must not get into spans.
    return failed(wrong("the answer can't be read: it is not JSON"));
  }
}

function heardFrom(operation: ModelOperation, { events }: Answer): TaskResult {
  const answer = new StreamedAnswer(operation);
  for (const { kind, type, data, atMs } of events ?? []) {
    if (kind === 'exception') {
      // The stream says `throttlingException` where errors elsewhere begin with a capital.
      const code = upstreamWord(type.charAt(0).toUpperCase() + type.slice(1)) ?? 'unknown';
      const message = `Bedrock answered in its stream with ${code}`;
      return failed({ code: 'upstream_error', message, upstreamCode: code }, isTransient(0, code));
    }
    answer.hear(atMs, type, JSON.parse(data));
  }
  return finished(answer);
}

/** A stream may end early without a word. */
function finished(answer: StreamedAnswer): TaskResult {
  if (answer.complete) return ok(answer.said());
  const message = 'the stream ended before its message did';
  return failed({ code: 'body_truncated', message, upstreamCode: null }, true);
}

export const sdk: SdkTask<{ readonly call: ModelCall }> = {
  uses: 'sdk',
  async load() {
    const { openModelCaller } = await import('../aws/bedrock-client.ts');
    return (settings) => {
      const caller = openModelCaller(settings);
      return {
        async run({ call }, signal) {
          const sentAtMs = performance.now();
          const answer = new StreamedAnswer(call.operation);
          let whole: unknown = null;
          const failure = await caller.ask(
            call,
            (heard) => {
              if (heard.kind === 'whole') whole = heard.answer;
              else answer.hear(performance.now() - sentAtMs, heard.type, heard.payload);
            },
            signal,
          );
          if (failure !== null) return failure;
          return call.streamed ? finished(answer) : ok(readAnswer(call.operation, whole));
        },
        close: () => caller.close(),
      };
    };
  },
};

/** Makes one call a task, and signs it where the access is `presigned`. */
const prepareInputs: PrepareInputs = async (plan, target, settings) => {
  const calls = Array.from({ length: plan.tasks }, (_, index) => callOf(index, plan, target));
  const labels = calls.map(labelsOf);
  if (plan.access === 'sdk') {
    return { inputs: calls.map((call) => ({ call })), labels, warnings: [], signing: null };
  }
  const { openModelSigner } = await import('../aws/bedrock-client.ts');
  return {
    inputs: [],
    labels,
    warnings: [],
    signing: signingOf(
      () => openModelSigner(settings),
      calls,
      (request, index) => ({
        operation: calls[index]?.operation,
        streamed: calls[index]?.streamed,
        request,
      }),
    ),
  };
};

function callOf(
  index: number,
  { params, validate }: RunPlan,
  { bedrock: { modelId } }: TargetSettings,
): ModelCall {
  return {
    operation: params['op'] === 'invoke' ? 'invoke' : 'converse',
    streamed: params['stream'] === true,
    modelId: modelId ?? '',
    prompt: promptOf(index, validate),
    maxTokens,
  };
}

function labelsOf(call: ModelCall): Labels {
  return {
    [semantic.rpcSystem]: 'aws-api',
    [semantic.rpcMethod]: `BedrockRuntime/${operationName(call)}`,
    [semantic.genAiOperation]: 'chat',
    [semantic.genAiProvider]: 'aws.bedrock',
    [semantic.genAiModel]: call.modelId,
    [semantic.genAiMaxTokens]: call.maxTokens,
    [semantic.genAiStream]: call.streamed,
    // In spans only where content is asked for.
    [semantic.genAiInputMessages]: JSON.stringify([
      { role: 'user', parts: [{ type: 'text', content: call.prompt }] },
    ]),
  };
}
