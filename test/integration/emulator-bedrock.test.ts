import { ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, collect, converseInput, EmulatorUnderTest, invokeInput, modelId } from '../support/emulator.ts';
import { presigned } from '../support/presigned.ts';

const prompt = 'What is a waterfall of spans?';

let emulator: EmulatorUnderTest;
beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
});
afterAll(() => emulator.close());

/** The times of a conversation and of an invocation, as the emulator plans and tells them. */
async function planned(seed: number): Promise<readonly unknown[]> {
  const paced = await EmulatorUnderTest.start({ latencyMs: 2, seed });
  try {
    const client = paced.bedrock();
    const call = { prompt, maxTokens: 10 };
    const whole = await ask.converse(client, call);
    const streamed = await ask.converseStream(client, call);
    // Streamed or not, the answer is complete at the same instant.
    expect(streamed.latencyMs).toBe(whole.latencyMs);
    return [whole.latencyMs, (await ask.invokeStream(client, call)).latencyMs];
  } finally {
    paced.close();
  }
}

describe('the emulated Bedrock and the real SDK', () => {
  it.each([prompt, 'Answer with a JSON object.', 'Write a SQL query.', 'ä 漢字 🙂'])(
    'says the same in every operation, with the same usage: %s',
    async (text) => {
      const client = emulator.bedrock();
      const { pieces: _, latencyMs: __, ...whole } = await ask.converse(client, { prompt: text });
      expect(whole.text.length).toBeGreaterThan(20);
      expect(whole.stopReason).toBe('end_turn');
      expect(whole.outputTokens).toBeGreaterThan(5);
      expect(await ask.invoke(client, { prompt: text })).toMatchObject(whole);
      const streamed = { ...whole, pieces: whole.outputTokens };
      expect(await ask.converseStream(client, { prompt: text })).toMatchObject(streamed);
      expect(await ask.invokeStream(client, { prompt: text })).toMatchObject(streamed);
    },
  );

  it.each(['converse', 'converseStream', 'invoke', 'invokeStream'] as const)(
    'cuts the answer at the most tokens that are wanted, in %s',
    async (operation) => {
      const client = emulator.bedrock();
      const whole = await ask[operation](client, { prompt });
      const cut = await ask[operation](client, { prompt, maxTokens: 5 });
      expect(cut).toMatchObject({ stopReason: 'max_tokens', outputTokens: 5 });
      expect(whole.text.startsWith(cut.text)).toBe(true);
      expect(whole.text).not.toBe(cut.text);
    },
  );

  it('streams a conversation as Bedrock does: start, text, stop, reason, then usage and metrics', async () => {
    const { stream } = await emulator
      .bedrock()
      .send(new ConverseStreamCommand(converseInput({ prompt, maxTokens: 2 })));
    const events = await collect(stream ?? []);
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      'messageStart',
      'contentBlockDelta',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
    ]);
    expect(events.at(-1)).toMatchObject({
      metadata: { usage: { outputTokens: 2 }, metrics: { latencyMs: 0 } },
    });
  });

  it('counts the whole conversation as input, and answers all of it', async () => {
    const client = emulator.bedrock();
    const short = await client.send(new ConverseCommand(converseInput({ prompt })));
    const long = await client.send(
      new ConverseCommand({
        modelId,
        system: [{ text: 'Be brief.' }],
        messages: [
          { role: 'user', content: [{ text: 'Hello' }] },
          { role: 'assistant', content: [{ text: 'Hello. What can I do for you?' }] },
          { role: 'user', content: [{ text: prompt }] },
        ],
      }),
    );
    expect(long.usage?.inputTokens).toBeGreaterThan(short.usage?.inputTokens ?? Infinity);
    expect(long.output).not.toEqual(short.output);
    expect(long.usage?.totalTokens).toBe((long.usage?.inputTokens ?? 0) + (long.usage?.outputTokens ?? 0));
  });

  it('takes inference profiles and ARNs as models', async () => {
    const profile = `us.${modelId}`;
    const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${profile}`;
    const texts = await Promise.all(
      [modelId, profile, arn].map(
        async (model) => (await ask.converse(emulator.bedrock(), { prompt, model })).text,
      ),
    );
    expect(new Set(texts).size).toBe(1);
  });

  it('counts a picture as no text, and still answers', async () => {
    const picture = { format: 'png' as const, source: { bytes: Uint8Array.of(1, 2, 3) } };
    const messages = [{ role: 'user' as const, content: [{ image: picture }] }];
    const answer = await emulator.bedrock().send(new ConverseCommand({ modelId, messages }));
    expect(answer.output?.message?.content?.[0]?.text).toMatch(/\.$/);
  });

  it.each([{}, { sessionToken: 'a+session/token==' }])(
    'takes a presigned request with the body that was signed, and no other: %j',
    async (credentials) => {
      const path = `/model/${encodeURIComponent(modelId)}/invoke`;
      const { body } = invokeInput({ prompt });
      const call = { method: 'POST', path, query: {}, body };
      const url = await presigned(emulator.endpoint, 'bedrock', call, credentials);
      expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
      const other = await fetch(url, { method: 'POST', body: body.replace('waterfall', 'river') });
      expect([other.status, other.headers.get('x-amzn-errortype')]).toEqual([
        403,
        'InvalidSignatureException',
      ]);
    },
  );

  it('plans the same times for the same seed, and others for another', async () => {
    const first = await planned(1);
    expect(await planned(1)).toEqual(first);
    expect(await planned(2)).not.toEqual(first);
  });
});

describe('what the emulated Bedrock refuses', () => {
  const bad = {
    name: 'ValidationException',
    $metadata: { httpStatusCode: 400 },
  };

  it.each(['gpt-4', 'claude', 'amazon.nova-lite-v1:0', 'arn:aws:s3:::bucket'])(
    'is a model id that it does not know: %s',
    async (model) => {
      for (const say of Object.values(ask)) {
        await expect(say(emulator.bedrock(), { prompt, model })).rejects.toMatchObject({
          ...bad,
          message: 'The provided model identifier is invalid.',
        });
      }
    },
  );

  it('is a conversation that says nothing, or that a model begins', async () => {
    const client = emulator.bedrock();
    await expect(ask.converse(client, { prompt: ' ' })).rejects.toMatchObject(bad);
    await expect(ask.converse(client, { prompt, maxTokens: 0 })).rejects.toMatchObject(bad);
    const messages = [{ role: 'assistant' as const, content: [{ text: 'Hello' }] }];
    await expect(client.send(new ConverseCommand({ modelId, messages }))).rejects.toMatchObject({
      ...bad,
      message: expect.stringContaining('must start with a user message'),
    });
  });

  it.each([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ anthropic_version: 'x', max_tokens: 1, messages: [] })],
    ['no limit of tokens', invokeInput({ prompt }).body.replace('max_tokens', 'maximum')],
  ])('is a body with %s', async (_what, body) => {
    const call = emulator.bedrock().send(new InvokeModelCommand({ modelId, body }));
    await expect(call).rejects.toMatchObject({ ...bad, message: expect.stringMatching(/^Malformed input/) });
  });

  it.each([
    ['secretAccessKey', 'InvalidSignatureException'],
    ['accessKeyId', 'UnrecognizedClientException'],
  ])('is a wrong %s', async (name, code) => {
    const client = emulator.bedrock({ credentials: { [name]: 'wrong' } });
    for (const say of Object.values(ask)) {
      await expect(say(client, { prompt })).rejects.toMatchObject({
        name: code,
        $metadata: { httpStatusCode: 403 },
      });
    }
  });

  it('is a request that is not signed, before anything is said of its body', async () => {
    const answer = await fetch(`${emulator.endpoint}/model/${modelId}/converse`, {
      method: 'POST',
      body: '{',
    });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ]);
    expect(await answer.json()).toEqual({ message: 'Missing Authentication Token' });
  });

  it.each(['GET', 'POST'])('is an operation that it does not have, with %s', async (method) => {
    const answer = await fetch(`${emulator.endpoint}/model/${modelId}/count-tokens`, { method });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      404,
      'UnknownOperationException',
    ]);
  });

  it('is nothing about a session token that is signed', async () => {
    const client = emulator.bedrock({ credentials: { sessionToken: 'a+session/token==' } });
    expect((await ask.converse(client, { prompt })).stopReason).toBe('end_turn');
  });
});
