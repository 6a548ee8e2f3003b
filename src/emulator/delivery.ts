import type { ServerResponse } from 'node:http';
import type { FaultKind } from './faults.ts';
import { play, until } from './pacing.ts';
import type { EmulatedAnswer, Frame, TimedStream } from './service.ts';

/**
 * Sends an answer when it is due, with what is to go wrong on its way. `Server-Timing` tells its total time: the
 * one it took or, for a stream, the one it is planned to take.
 * @param arrivedMs when the request came, as `performance.now()` tells it
 */
export async function deliver(
  outgoing: ServerResponse,
  answer: EmulatedAnswer & { readonly readyMs: number },
  fault: FaultKind | null,
  arrivedMs: number,
): Promise<void> {
  await until(arrivedMs + answer.readyMs);
  if (outgoing.closed) return;
  if (answer.body instanceof Uint8Array) return sendWhole(outgoing, answer, answer.body, fault, arrivedMs);
  outgoing.writeHead(answer.status, { ...answer.headers, 'server-timing': timing(answer.body.totalMs) });
  outgoing.flushHeaders();
  const { frames, ending } = planStream(answer.body, fault);
  const finished = await play(frames, arrivedMs, (bytes) => {
    if (outgoing.closed) return false;
    outgoing.write(bytes);
    return true;
  });
  if (finished) end(outgoing, ending);
}

/** How a stream goes when something is to go wrong with it: after half of its frames, which is half of its tokens. */
export function planStream(
  { frames }: TimedStream,
  fault: FaultKind | null,
): { readonly frames: readonly Frame[]; readonly ending: Ending } {
  const half = frames.length >> 1;
  const middle = frames[half];
  const before = frames.slice(0, half);
  if (fault === 'stall') return { frames: before, ending: 'stall' };
  if (fault === 'reset') return { frames: before, ending: 'cut' };
  if (middle === undefined) return { frames, ending: 'complete' };
  const { atMs, bytes } = middle;
  if (fault === 'truncate') {
    return { frames: [...before, { atMs, bytes: firstHalf(bytes) }], ending: 'cut' };
  }
  // The end of a frame is its checksum.
  const wrongByte = { corrupt: bytes.byteLength >> 1, malformed: bytes.byteLength - 1 };
  return fault === 'corrupt' || fault === 'malformed'
    ? { frames: frames.with(half, { atMs, bytes: flipped(bytes, wrongByte[fault]) }), ending: 'complete' }
    : { frames, ending: 'complete' };
}

type Ending = 'complete' | 'cut' | 'stall';

function end(outgoing: ServerResponse, ending: Ending): void {
  if (ending === 'complete') outgoing.end();
  // What was written still arrives; then the connection ends without the end of the body.
  if (ending === 'cut') outgoing.socket?.destroySoon();
}

function sendWhole(
  outgoing: ServerResponse,
  { status, headers }: EmulatedAnswer,
  body: Uint8Array,
  fault: FaultKind | null,
  arrivedMs: number,
): void {
  if (fault === 'stall') return;
  if (fault === 'reset') return void outgoing.destroy();
  const sent = status === 200 ? bodyWith(fault, body) : body;
  outgoing.writeHead(status, {
    ...headers,
    'content-length': sent.byteLength,
    'server-timing': timing(performance.now() - arrivedMs),
  });
  if (outgoing.req.method === 'HEAD') return void outgoing.end();
  if (fault === 'truncate' && status === 200) {
    return void outgoing.write(firstHalf(sent), () => outgoing.destroy());
  }
  outgoing.end(sent);
}

function bodyWith(fault: FaultKind | null, body: Uint8Array): Uint8Array {
  if (fault === 'corrupt') return flipped(body, body.byteLength >> 1);
  return fault === 'malformed' ? firstHalf(body) : body;
}

function firstHalf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.byteLength >> 1);
}

/** With one byte changed. */
function flipped(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.byteLength === 0 ? bytes : bytes.with(index, (bytes[index] ?? 0) ^ 0xff);
}

function timing(totalMs: number): string {
  return `total;dur=${totalMs.toFixed(3)}`;
}
