import { EventStreamCodec, getChunkedStream } from '@smithy/core/event-streams';
import type { StreamEvent } from '../workloads/task.ts';

/**
 * Reads an AWS event stream to its end, by the SDK's own codec: each event with the time at which it was there, in
 * milliseconds since `sentAtMs` of `performance.now()`. A source that can't be decoded is not read further, but ended.
 *
 * @throws MalformedStream when it can't be decoded; whatever the source throws
 */
export async function readEvents(
  source: AsyncIterable<Uint8Array>,
  sentAtMs: number,
): Promise<{ readonly events: readonly StreamEvent[]; readonly bytes: number }> {
  const events: StreamEvent[] = [];
  let bytes = 0;
  let brokenOff = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      brokenOff = true;
      throw error;
    }
  }
  const chunks = watched();
  try {
    for await (const message of getChunkedStream(chunks)) {
      const atMs = performance.now() - sentAtMs;
      bytes += message.byteLength;
      events.push({ atMs, ...decoded(message) });
    }
  } catch (cause) {
    if (brokenOff) throw cause;
    // The codec leaves its source open, which keeps a socket that the next request may wait for.
    await chunks.return(undefined);
    throw new MalformedStream(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  return { events, bytes };
}

/** What came is no event stream, or was damaged on its way. */
export class MalformedStream extends Error {
  override readonly name = 'MalformedStream';
}

const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : decoder.decode(bytes)),
  (text) => new TextEncoder().encode(text),
);

function decoded(message: Uint8Array): Omit<StreamEvent, 'atMs'> {
  const { headers, body } = codec.decode(message);
  const header = (name: string): string => String(headers[name]?.value ?? '');
  const kind = header(':message-type') === 'event' ? 'event' : 'exception';
  const type = header(kind === 'event' ? ':event-type' : ':exception-type') || header(':error-code');
  const data = decoder.decode(body);
  if (kind === 'event') parsed(data);
  return { kind, type, data: type === 'chunk' ? unwrapped(data) : data };
}

/** InvokeModel's events are the maker's own, wrapped as Base64. */
function unwrapped(data: string): string {
  const wrapper = parsed(data);
  const bytes: unknown =
    typeof wrapper === 'object' && wrapper !== null ? Reflect.get(wrapper, 'bytes') : null;
  if (typeof bytes !== 'string') return data;
  const inner = Buffer.from(bytes, 'base64').toString();
  parsed(inner);
  return inner;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8's own words quote what a model answered, which must not get into spans.
    throw new Error('an event is not JSON');
  }
}
