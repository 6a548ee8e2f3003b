import { Readable } from 'node:stream';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { HttpResponse } from '@smithy/core/protocols';
import type { MiddlewareStack } from '@smithy/types';
import { operationName, type Heard, type ModelCall } from './bedrock-call.ts';
import type { ClientSettings, PlainRequest, Signer } from './client.ts';
import { clientOptions } from './client-options.ts';
import { sdkFailure, type SdkFailure } from './sdk-failure.ts';
import { toSignedRequest } from './signed-request.ts';

/** What the `sdk` tasks of the bedrock workload ask with. */
export interface ModelCaller {
  /** Tells what comes as it comes; `null` when all has come. */
  ask(call: ModelCall, hear: (heard: Heard) => void, signal: AbortSignal): Promise<SdkFailure | null>;
  /** Closes its sockets, those in use too. */
  close(): void;
}

export function openModelCaller(settings: ClientSettings): ModelCaller {
  const client = new BedrockRuntimeClient(clientOptions(settings));
  return {
    async ask(call, hear, abortSignal) {
      const progress: Progress = { answerBegan: false, stream: null };
      try {
        for await (const heard of answersOf(client, call, abortSignal, progress)) hear(heard);
        return null;
      } catch (error) {
        // The SDK leaves a stream that it can't read open, which keeps a socket that the next call may wait for. To
        // abort the call would not free that of an answer that came whole and is read in part (Node 26).
        progress.stream?.destroy();
        const { answerBegan } = progress;
        return sdkFailure(error, { service: 'Bedrock', asked: operationName(call), answerBegan });
      }
    },
    close: () => client.destroy(),
  };
}

export function openModelSigner(settings: ClientSettings): Signer<ModelCall> {
  const client = new BedrockRuntimeClient(clientOptions(settings));
  return {
    sign: (call) => signed(client, call),
    close: () => client.destroy(),
  };
}

async function signed(client: BedrockRuntimeClient, call: ModelCall): Promise<PlainRequest> {
  const { body, ...request } = await requestOf(client, call);
  // JSON, which as text survives messages between processes; the bytes that were signed are the same.
  return { ...request, body: body instanceof Uint8Array ? new TextDecoder().decode(body) : body };
}

function requestOf(client: BedrockRuntimeClient, call: ModelCall): Promise<PlainRequest> {
  if (call.operation === 'converse') {
    const input = converseInput(call);
    return call.streamed
      ? toSignedRequest(client, new ConverseStreamCommand(input))
      : toSignedRequest(client, new ConverseCommand(input));
  }
  const input = invokeInput(call);
  return call.streamed
    ? toSignedRequest(client, new InvokeModelWithResponseStreamCommand(input))
    : toSignedRequest(client, new InvokeModelCommand(input));
}

interface Progress {
  answerBegan: boolean;
  /** What a streamed answer comes in. */
  stream: Readable | null;
}

function noteStream<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  progress: Progress,
): void {
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const body: unknown = HttpResponse.isInstance(result.response) ? result.response.body : null;
      if (body instanceof Readable) progress.stream = body;
      return result;
    },
    { name: 'fanoutBenchStream', step: 'deserialize', priority: 'low' },
  );
}

async function* answersOf(
  client: BedrockRuntimeClient,
  call: ModelCall,
  abortSignal: AbortSignal,
  progress: Progress,
): AsyncGenerator<Heard> {
  const options = { abortSignal };
  if (call.operation === 'converse') {
    if (!call.streamed) {
      return yield {
        kind: 'whole',
        answer: await client.send(new ConverseCommand(converseInput(call)), options),
      };
    }
    const command = new ConverseStreamCommand(converseInput(call));
    noteStream(command.middlewareStack, progress);
    const { stream } = await client.send(command, options);
    progress.answerBegan = true;
    for await (const event of stream ?? []) {
      const [[type, payload] = ['', null]] = Object.entries(event);
      yield { kind: 'event', type, payload };
    }
    return;
  }
  if (!call.streamed) {
    const { body } = await client.send(new InvokeModelCommand(invokeInput(call)), options);
    return yield { kind: 'whole', answer: JSON.parse(new TextDecoder().decode(body)) };
  }
  const command = new InvokeModelWithResponseStreamCommand(invokeInput(call));
  noteStream(command.middlewareStack, progress);
  const { body } = await client.send(command, options);
  progress.answerBegan = true;
  for await (const { chunk } of body ?? []) {
    if (chunk?.bytes === undefined) continue;
    yield { kind: 'event', type: 'chunk', payload: JSON.parse(new TextDecoder().decode(chunk.bytes)) };
  }
}

/** The temperature is set so that repeats are as alike as the model allows. */
const temperature = 0;

function converseInput({ modelId, prompt, maxTokens }: ModelCall) {
  return {
    modelId,
    messages: [{ role: 'user' as const, content: [{ text: prompt }] }],
    inferenceConfig: { maxTokens, temperature },
  };
}

function invokeInput({ modelId, prompt, maxTokens }: ModelCall) {
  const body = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: maxTokens,
    temperature,
    messages: [{ role: 'user', content: prompt }],
  };
  return { modelId, contentType: 'application/json', accept: 'application/json', body: JSON.stringify(body) };
}
