import { ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emulatorBucket } from '../../src/emulator/credentials.ts';
import type { FaultKind } from '../../src/emulator/faults.ts';
import { ask, converseInput, EmulatorUnderTest, modelId, type ClientOptions } from '../support/emulator.ts';

const prompt = 'Tell me about tails.';

let emulator: EmulatorUnderTest;
const others: EmulatorUnderTest[] = [];
beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
});
afterEach(() => {
  for (const other of others.splice(0)) other.close();
});
afterAll(() => emulator.close());

async function startWith(options: Parameters<typeof EmulatorUnderTest.start>[0]): Promise<EmulatorUnderTest> {
  const started = await EmulatorUnderTest.start(options);
  others.push(started);
  return started;
}

/** What 30 requests for three pages come to when half of them are throttled. */
async function outcomes(seed: number): Promise<readonly number[]> {
  const faulty = await startWith({ seed, faults: 'throttle@/pages/*:50%' });
  const statuses: number[] = [];
  for (let index = 0; index < 30; index += 1) {
    statuses.push((await fetch(`${faulty.endpoint}/pages/${index % 3}`)).status);
  }
  return statuses;
}

/** One call of each service, on an emulator. */
const calls = {
  s3: (on: EmulatorUnderTest, options: ClientOptions) =>
    on.s3(options).send(new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/0.jpg' })),
  sts: (on: EmulatorUnderTest, options: ClientOptions) =>
    on.sts(options).send(new GetCallerIdentityCommand()),
  converse: (on: EmulatorUnderTest, options: ClientOptions) => ask.converse(on.bedrock(options), { prompt }),
  converseStream: (on: EmulatorUnderTest, options: ClientOptions) =>
    ask.converseStream(on.bedrock(options), { prompt }),
  invoke: (on: EmulatorUnderTest, options: ClientOptions) => ask.invoke(on.bedrock(options), { prompt }),
  invokeStream: (on: EmulatorUnderTest, options: ClientOptions) =>
    ask.invokeStream(on.bedrock(options), { prompt }),
};

describe('a fault that a request asks for', () => {
  it.each([
    ['error', 's3', 'InternalError', 500],
    ['error', 'sts', 'InternalFailure', 500],
    ['error', 'converse', 'InternalServerException', 500],
    ['error', 'invokeStream', 'InternalServerException', 500],
    ['throttle', 's3', 'SlowDown', 503],
    ['throttle', 'sts', 'Throttling', 400],
    ['throttle', 'converse', 'ThrottlingException', 429],
    ['throttle', 'converseStream', 'ThrottlingException', 429],
    ['throttle', 'invoke', 'ThrottlingException', 429],
    ['unavailable', 's3', 'ServiceUnavailable', 503],
    ['unavailable', 'sts', 'ServiceUnavailable', 503],
    ['unavailable', 'converse', 'ServiceUnavailableException', 503],
    ['unavailable', 'invokeStream', 'ServiceUnavailableException', 503],
  ] as const)('%s at %s is %s (%i) for the SDK', async (fault, call, name, httpStatusCode) => {
    await expect(calls[call](emulator, { fault })).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode },
    });
  });

  it.each(['converse', 'invoke', 'sts'] as const)('malformed: %s can not be parsed', async (call) => {
    const wrong = await calls[call](emulator, { fault: 'malformed' }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(Error);
  });

  it.each(['converseStream', 'invokeStream'] as const)(
    'malformed or corrupt: a checksum in %s is wrong',
    async (call) => {
      for (const fault of ['malformed', 'corrupt'] as const) {
        await expect(calls[call](emulator, { fault })).rejects.toThrow(/checksum/);
      }
    },
  );

  it.each(['converse', 'converseStream', 'invoke', 'invokeStream', 'sts'] as const)(
    'truncate and reset: the connection of %s breaks',
    async (call) => {
      for (const fault of ['truncate', 'reset'] as const) {
        await expect(calls[call](emulator, { fault })).rejects.toMatchObject({ code: 'ECONNRESET' });
      }
    },
  );

  it('stall: half of a stream comes, and then nothing until the client gives up', async () => {
    const whole = await ask.converseStream(emulator.bedrock(), { prompt });
    const abort = new AbortController();
    const command = new ConverseStreamCommand(converseInput({ prompt }));
    const client = emulator.bedrock({ fault: 'stall' });
    const { stream } = await client.send(command, { abortSignal: abort.signal });
    const pieces: string[] = [];
    const read = async (): Promise<void> => {
      for await (const { contentBlockDelta } of stream ?? []) {
        if (contentBlockDelta !== undefined) pieces.push(contentBlockDelta.delta?.text ?? '');
        if (pieces.length === Math.floor(whole.pieces / 2)) abort.abort();
      }
    };
    await expect(read()).rejects.toThrow(/abort/);
    expect(pieces.length).toBeGreaterThanOrEqual(Math.floor(whole.pieces / 2));
    expect(pieces.length).toBeLessThan(whole.pieces);
    expect(whole.text.startsWith(pieces.join(''))).toBe(true);
  });

  it.each(['converse', 'converseStream', 'invoke', 'invokeStream'] as const)(
    'nonsense and empty: %s answers prose, or nothing, whatever was asked',
    async (operation) => {
      for (const asked of ['Answer with a JSON object.', 'Write a SQL query.']) {
        const sane = await ask[operation](emulator.bedrock(), { prompt: asked });
        const nonsense = await ask[operation](emulator.bedrock({ fault: 'nonsense' }), { prompt: asked });
        expect(nonsense.text).toMatch(/^[A-Z][a-z ]+, [^{]+\.$/);
        expect(nonsense.text).not.toBe(sane.text);
        const empty = await ask[operation](emulator.bedrock({ fault: 'empty' }), { prompt: asked });
        expect(empty).toMatchObject({ text: '', outputTokens: 0, stopReason: 'end_turn', pieces: 0 });
      }
    },
  );

  it('slow: ten times as long', async () => {
    const timed = await startWith({ latencyMs: 1 });
    const call = { prompt, maxTokens: 60 };
    const { latencyMs = 0 } = await ask.converse(timed.bedrock(), call);
    const slow = await ask.converse(timed.bedrock({ fault: 'slow' }), call);
    // Both are told in whole milliseconds.
    expect(Math.abs((slow.latencyMs ?? 0) - 10 * latencyMs)).toBeLessThanOrEqual(5);
  });

  it.each([
    ['throttle', 429, '1'],
    ['unavailable', 503, '1'],
    ['error', 500, null],
  ] as const)('%s at a page is %i', async (fault, status, retryAfter) => {
    const answer = await fetch(`${emulator.endpoint}/pages/1`, { headers: { 'x-fanout-fault': fault } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter]);
  });

  it('hits a listing too, which the configured ones spare', async () => {
    const faulty = await startWith({ faults: 'error@*' });
    const list = new ListObjectsV2Command({ Bucket: emulatorBucket });
    expect((await faulty.s3().send(list)).KeyCount).toBe(10);
    await expect(faulty.s3({ fault: 'error' }).send(list)).rejects.toMatchObject({ name: 'InternalError' });
  });

  it.each([
    ['no-such-fault', 's3', 'InvalidRequest'],
    ['nonsense', 's3', 'InvalidRequest'],
    ['empty', 'sts', 'ValidationError'],
    ['no-such-fault', 'converse', 'ValidationException'],
  ] as const)('is refused when there is none such: %s at %s', async (fault, call, name) => {
    await expect(calls[call](emulator, { fault })).rejects.toMatchObject({
      name,
      message: expect.stringContaining('x-fanout-fault'),
    });
  });

  it('changes nothing for who may not ask', async () => {
    for (const fault of ['stall', 'reset', 'error', 'truncate'] satisfies FaultKind[]) {
      const client = emulator.bedrock({ fault, credentials: { secretAccessKey: 'wrong' } });
      await expect(ask.converse(client, { prompt })).rejects.toMatchObject({
        name: 'InvalidSignatureException',
      });
    }
  });
});

describe('configured faults', () => {
  it('go by the last user message, the action, the path or the key', async () => {
    const faulty = await startWith({
      faults: `throttle@Tell me*,error@GetCallerIdentity,unavailable@/pages/2,nonsense@*`,
    });
    await expect(calls.invokeStream(faulty, {})).rejects.toMatchObject({ name: 'ThrottlingException' });
    await expect(calls.sts(faulty, {})).rejects.toMatchObject({ name: 'InternalFailure' });
    expect((await fetch(`${faulty.endpoint}/pages/2`)).status).toBe(503);
    expect((await fetch(`${faulty.endpoint}/pages/3`)).status).toBe(200);
    // A fault that means nothing to S3.
    expect((await calls.s3(faulty, {})).ContentLength).toBe(300_000);
  });

  it.each(['s3', 'sts', 'converse', 'invokeStream'] as const)(
    'of the first attempts are over with the SDK’s retry: %s',
    async (call) => {
      const faulty = await startWith({ faults: 'unavailable@*#1' });
      await expect(calls[call](faulty, { maxAttempts: 2 })).resolves.toBeDefined();
      await expect(calls[call](faulty, { maxAttempts: 1 })).rejects.toMatchObject({
        $metadata: { httpStatusCode: 503 },
      });
    },
  );

  it('with a percentage hit the same of the repeats in every emulator with that seed', async () => {
    const first = await outcomes(1);
    expect(new Set(first)).toEqual(new Set([200, 429]));
    expect(await outcomes(1)).toEqual(first);
    expect(await outcomes(2)).not.toEqual(first);
  });

  it('of Bedrock are told in its form of an error', async () => {
    const answer = await fetch(`${emulator.endpoint}/model/${modelId}/converse`, {
      method: 'POST',
      headers: { 'x-fanout-fault': 'x' },
      body: '{}',
    });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationException']);
  });
});
