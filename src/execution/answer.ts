import { createHash } from 'node:crypto';
import { failed, wrong, type Answer, type Exchange, type ReadAs } from '../workloads/task.ts';

/** The head of an answer, as every client has it. */
export interface AnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An answer whose body was read whole. */
export function answerOf({ statusCode, headers }: AnswerHead, body: Uint8Array, read: ReadAs): Answer {
  return {
    state: 'answered',
    statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    bytes: body.byteLength,
    md5: read === 'digest' ? createHash('md5').update(body).digest('hex') : null,
    text: read === 'text' || statusCode >= 400 ? new TextDecoder().decode(body) : null,
    events: null,
  };
}

/**
 * Reads a body as an event stream, or as text where the answer is an error.
 *
 * @param sentAtMs when the request was made, of `performance.now()`
 * @throws whatever the body throws when it breaks off
 */
export async function eventsAnswer(
  head: AnswerHead,
  body: AsyncIterable<Uint8Array>,
  sentAtMs: number,
): Promise<Exchange> {
  if (head.statusCode >= 400) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return answerOf(head, Buffer.concat(chunks), 'text');
  }
  const { MalformedStream, readEvents } = await import('./event-stream.ts');
  try {
    const { events, bytes } = await readEvents(body, sentAtMs);
    return { ...answerOf(head, new Uint8Array(), 'text'), text: null, bytes, events };
  } catch (error) {
    if (error instanceof MalformedStream) return failed(wrong(`the stream can't be read: ${error.message}`));
    throw error;
  }
}
