import { z } from 'zod';
import type { ModelInterface } from './bedrock-interface.ts';
import { saidText } from './bedrock-prompt.ts';
import { streamOf, type Schedule } from './bedrock-schedule.ts';
import { eventFrame } from './event-stream.ts';
import type { Reply } from './reply.ts';

/** A model called in the form of its maker, here Anthropic's Messages. */
export const invoke: ModelInterface = {
  operation: 'InvokeModel',
  streamOperation: 'InvokeModelWithResponseStream',
  streamHeaders: { 'x-amzn-bedrock-content-type': 'application/json' },
  promptOf(body) {
    const { system, messages, max_tokens: maxTokens } = request.parse(body);
    return {
      system: textOf(system),
      turns: messages.map(({ role, content }) => ({ role, text: textOf(content) })),
      maxTokens,
    };
  },
  whole(reply, _schedule, modelId) {
    const { text, stopReason, inputTokens, tokens } = reply;
    return {
      ...messageOf(reply, modelId),
      content: text === '' ? [] : [{ type: 'text', text }],
      stop_reason: stopReason,
      usage: { input_tokens: inputTokens, output_tokens: tokens.length },
    };
  },
  stream(reply, schedule, modelId) {
    const { inputTokens, tokens, stopReason } = reply;
    const usage = { input_tokens: inputTokens, output_tokens: Math.min(1, tokens.length) };
    const empty = reply.text === '';
    return streamOf(reply, schedule, {
      opening: [
        chunk({ type: 'message_start', message: { ...messageOf(reply, modelId), usage } }),
        ...(empty
          ? []
          : [chunk({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })]),
      ],
      token: (text) => chunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      closing: [
        ...(empty ? [] : [chunk({ type: 'content_block_stop', index: 0 })]),
        chunk({
          type: 'message_delta',
          delta: { stop_reason: stopReason, stop_sequence: null },
          usage: { output_tokens: tokens.length },
        }),
        chunk({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': metricsOf(reply, schedule) }),
      ],
    });
  },
};

const content = z.union([
  saidText.transform((text) => [{ text }]),
  // Blocks that are no text count as none.
  z.array(z.looseObject({ type: z.string(), text: saidText.optional() })).min(1),
]);

const request = z.looseObject({
  anthropic_version: z.literal('bedrock-2023-05-31'),
  max_tokens: z.int().min(1),
  system: content.default([]),
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant']), content }))
    .min(1)
    .refine(([first]) => first?.role === 'user', 'first message must use the "user" role'),
});

function textOf(blocks: readonly { readonly text?: string | undefined }[]): string {
  return blocks.flatMap(({ text }) => text ?? []).join('\n');
}

/** A message that has not begun. */
function messageOf({ digest }: Reply, modelId: string): Readonly<Record<string, unknown>> {
  return {
    model: /claude-[\w.-]+?(?=-v\d|:|$)/.exec(modelId)?.[0] ?? 'claude',
    id: `msg_bdrk_01${digest.slice(0, 22)}`,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function metricsOf({ inputTokens, tokens }: Reply, { firstTokenMs, totalMs }: Schedule): unknown {
  return {
    inputTokenCount: inputTokens,
    outputTokenCount: tokens.length,
    invocationLatency: Math.round(totalMs),
    firstByteLatency: Math.round(firstTokenMs),
  };
}

/** One of the maker's events, as Bedrock wraps it. */
function chunk(event: unknown): Uint8Array {
  return eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64') });
}
