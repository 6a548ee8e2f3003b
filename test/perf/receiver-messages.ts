import { z } from 'zod';
import type { Behaviour } from '../support/otlp-receiver.ts';

/** What the receiver's process tells. */
export const receiverNewsSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('listening'), url: z.url() }),
  z.strictObject({ type: z.literal('taskSpans'), received: z.int(), distinct: z.int() }),
]);

export type ReceiverNews = z.infer<typeof receiverNewsSchema>;

/** What it is started with. */
export const behaviourSchema: z.ZodType<Behaviour> = z.enum([
  'accept',
  'refuse',
  'hang',
  'dawdle',
  'discard',
]);

/** What it is asked: to tell when so many task spans arrived, or none came for a while. */
export const receiverQuestionSchema = z.strictObject({ type: z.literal('expect'), taskSpans: z.int() });
