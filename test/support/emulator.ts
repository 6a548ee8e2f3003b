import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { parseFaults, type FaultKind } from '../../src/emulator/faults.ts';
import { createEmulator } from '../../src/emulator/server.ts';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface ClientOptions {
  readonly credentials?: Partial<Credentials>;
  readonly maxAttempts?: number;
  /** Asked for with an unsigned header. */
  readonly fault?: FaultKind | 'no-such-fault';
}

/** An emulator in this process, and the real SDK's clients of it. */
export class EmulatorUnderTest {
  readonly endpoint: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  static async start({ latencyMs = 0, seed = 1, faults = '' } = {}): Promise<EmulatorUnderTest> {
    const server = createEmulator({ latencyMs, seed, faults: parseFaults(faults) }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the emulator has no port');
    return new EmulatorUnderTest(server, address.port);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  bedrock(options: ClientOptions = {}): BedrockRuntimeClient {
    return new BedrockRuntimeClient(this.#common(options));
  }

  sts(options: ClientOptions = {}): STSClient {
    return new STSClient(this.#common(options));
  }

  s3(options: ClientOptions = {}): S3Client {
    return new S3Client({ ...this.#common(options), forcePathStyle: true });
  }

  #common(options: ClientOptions) {
    const { credentials = {}, maxAttempts = 1 } = options;
    return {
      endpoint: this.endpoint,
      region: emulatorRegion,
      credentials: { ...emulatorCredentials, ...credentials },
      maxAttempts,
      requestHandler: new TestHandler(options),
    };
  }
}

export const modelId = 'anthropic.claude-3-haiku-20240307-v1:0';

/** What a model said, in whichever way it was asked. */
export interface Said {
  readonly text: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly stopReason: string | undefined;
  readonly latencyMs: number | undefined;
  /** How many pieces of text came. */
  readonly pieces: number;
}

export interface Call {
  readonly prompt: string;
  readonly maxTokens?: number;
  readonly model?: string;
}

type Ask = (client: BedrockRuntimeClient, call: Call) => Promise<Said>;

export const ask: Readonly<Record<'converse' | 'converseStream' | 'invoke' | 'invokeStream', Ask>> = {
  async converse(client, call) {
    const answer = await client.send(new ConverseCommand(converseInput(call)));
    const content = answer.output?.message?.content ?? [];
    return {
      text: content.map(({ text }) => text).join(''),
      inputTokens: answer.usage?.inputTokens,
      outputTokens: answer.usage?.outputTokens,
      stopReason: answer.stopReason,
      latencyMs: answer.metrics?.latencyMs,
      pieces: content.length,
    };
  },
  async converseStream(client, call) {
    const answer = await client.send(new ConverseStreamCommand(converseInput(call)));
    const events = await collect(answer.stream ?? []);
    const pieces = events.flatMap(({ contentBlockDelta }) => contentBlockDelta?.delta?.text ?? []);
    const metadata = events.find((event) => event.metadata)?.metadata;
    return {
      text: pieces.join(''),
      inputTokens: metadata?.usage?.inputTokens,
      outputTokens: metadata?.usage?.outputTokens,
      stopReason: events.find((event) => event.messageStop)?.messageStop?.stopReason,
      latencyMs: metadata?.metrics?.latencyMs,
      pieces: pieces.length,
    };
  },
  async invoke(client, call) {
    const { body } = await client.send(new InvokeModelCommand(invokeInput(call)));
    const answer = JSON.parse(body.transformToString());
    return {
      text: answer.content.map(({ text }: { text: string }) => text).join(''),
      inputTokens: answer.usage.input_tokens,
      outputTokens: answer.usage.output_tokens,
      stopReason: answer.stop_reason,
      latencyMs: undefined,
      pieces: answer.content.length,
    };
  },
  async invokeStream(client, call) {
    const answer = await client.send(new InvokeModelWithResponseStreamCommand(invokeInput(call)));
    const events = (await collect(answer.body ?? [])).map(({ chunk }) =>
      JSON.parse(new TextDecoder().decode(chunk?.bytes)),
    );
    const named = (type: string) => events.find((event) => event.type === type);
    const pieces = events
      .filter(({ type }) => type === 'content_block_delta')
      .map(({ delta }): string => delta.text);
    const metrics = named('message_stop')['amazon-bedrock-invocationMetrics'];
    return {
      text: pieces.join(''),
      inputTokens: named('message_start').message.usage.input_tokens,
      outputTokens: named('message_delta').usage.output_tokens,
      stopReason: named('message_delta').delta.stop_reason,
      latencyMs: metrics.invocationLatency,
      pieces: pieces.length,
    };
  },
};

export function converseInput({ prompt, maxTokens, model = modelId }: Call) {
  return {
    modelId: model,
    messages: [{ role: 'user' as const, content: [{ text: prompt }] }],
    ...(maxTokens !== undefined && { inferenceConfig: { maxTokens } }),
  };
}

export function invokeInput({ prompt, maxTokens = 1000, model = modelId }: Call) {
  return {
    modelId: model,
    contentType: 'application/json',
    body: JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: prompt }],
    }),
  };
}

export async function collect<T>(stream: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Speaks HTTP/1.1, and asks for a fault once the request is signed. */
class TestHandler extends NodeHttpHandler {
  readonly #fault: ClientOptions['fault'];

  constructor({ fault }: ClientOptions) {
    super();
    this.#fault = fault;
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>) {
    if (this.#fault !== undefined) request.headers['x-fanout-fault'] = this.#fault;
    return super.handle(request, options);
  }
}
