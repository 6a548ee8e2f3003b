import type { Schedule } from './bedrock-schedule.ts';
import type { Prompt, Reply } from './reply.ts';
import type { TimedStream } from './service.ts';

/** One of the two forms in which a model can be called. */
export interface ModelInterface {
  readonly operation: string;
  readonly streamOperation: string;
  /** Of a stream's head, beside its content type. */
  readonly streamHeaders: Readonly<Record<string, string>>;
  /** @throws ZodError when a body is not of this form */
  promptOf(body: unknown): Prompt;
  /** What is answered as JSON. */
  whole(reply: Reply, schedule: Schedule, modelId: string): unknown;
  stream(reply: Reply, schedule: Schedule, modelId: string): TimedStream;
}
