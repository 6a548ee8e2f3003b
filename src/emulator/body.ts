import type { IncomingMessage } from 'node:http';

const maxBodyBytes = 1_000_000;

/** A request's body; `null` when it is larger than the emulator takes. Even then all of it is read, or nobody would
 * read the refusal. */
export async function readBody(incoming: IncomingMessage): Promise<Uint8Array | null> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (encoding === undefined && (length === undefined || length === '0')) {
    incoming.resume();
    return new Uint8Array();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks) : null;
}
