import { z } from 'zod';
import type { ModelInterface } from './bedrock-interface.ts';
import { saidText } from './bedrock-prompt.ts';
import { streamOf } from './bedrock-schedule.ts';
import { eventFrame } from './event-stream.ts';
import type { Reply } from './reply.ts';

/** Bedrock's own form of a conversation. */
export const converse: ModelInterface = {
  operation: 'Converse',
  streamOperation: 'ConverseStream',
  streamHeaders: {},
  promptOf(body) {
    const { system, messages, inferenceConfig } = request.parse(body);
    return {
      system: textOf(system),
      turns: messages.map(({ role, content }) => ({ role, text: textOf(content) })),
      maxTokens: inferenceConfig.maxTokens ?? null,
    };
  },
  whole(reply, { totalMs }) {
    const { text, stopReason } = reply;
    const content = text === '' ? [] : [{ text }];
    return {
      output: { message: { role: 'assistant', content } },
      stopReason,
      usage: usageOf(reply),
      metrics: { latencyMs: Math.round(totalMs) },
    };
  },
  stream(reply, schedule) {
    const stop = eventFrame('contentBlockStop', { contentBlockIndex: 0 });
    return streamOf(reply, schedule, {
      opening: [eventFrame('messageStart', { role: 'assistant' })],
      token: (text) => eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
      closing: [
        ...(reply.text === '' ? [] : [stop]),
        eventFrame('messageStop', { stopReason: reply.stopReason }),
        eventFrame('metadata', {
          usage: usageOf(reply),
          metrics: { latencyMs: Math.round(schedule.totalMs) },
        }),
      ],
    });
  },
};

/** Blocks that are no text count as none: pictures, documents, tools. */
const block = z.looseObject({ text: saidText.optional() });

const request = z.looseObject({
  system: z.array(block).default([]),
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant']), content: z.array(block).min(1) }))
    .min(1)
    .refine(([first]) => first?.role === 'user', 'A conversation must start with a user message'),
  inferenceConfig: z.looseObject({ maxTokens: z.int().min(1).optional() }).default({}),
});

function textOf(blocks: readonly z.infer<typeof block>[]): string {
  return blocks.flatMap(({ text }) => text ?? []).join('\n');
}

function usageOf({ inputTokens, tokens }: Reply): Readonly<Record<string, number>> {
  return { inputTokens, outputTokens: tokens.length, totalTokens: inputTokens + tokens.length };
}
