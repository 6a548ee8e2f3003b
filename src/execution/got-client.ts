import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { ReadError, RequestError, type Got } from 'got';
import type { PlainRequest } from '../aws/client.ts';
import { transportError } from '../aws/transport-error.ts';
import { failed, wrong, type Answer, type Exchange, type ReadAs } from '../workloads/task.ts';
import type { OpenHttp } from './tools.ts';

/** A got client as {@link ClientSettings} ask: HTTP/1.1, no retry, redirect or decompression of its own. */
export const openGot: OpenHttp = ({ sockets }) => {
  const agent = {
    http: new HttpAgent({ keepAlive: true, maxSockets: sockets }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: sockets }),
  };
  const client = got.extend({
    agent,
    retry: { limit: 0 },
    throwHttpErrors: false,
    followRedirect: false,
    decompress: false,
    http2: false,
    responseType: 'buffer',
  });
  return {
    async send(request, read, signal) {
      try {
        return await (read === 'event-stream'
          ? sendForEvents(client, request, signal)
          : sendForBody(client, request, read, signal));
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        return transportError(error, error.response !== undefined || error instanceof ReadError);
      }
    },
    close() {
      agent.http.destroy();
      agent.https.destroy();
    },
  };
};

async function sendForBody(
  client: Got,
  { method, url, headers, body }: PlainRequest,
  read: ReadAs,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await client(url, { method, headers, signal, ...(body === null ? {} : { body }) });
  return answerOf(response, response.rawBody, read);
}

async function sendForEvents(
  client: Got,
  { method, url, headers, body }: PlainRequest,
  signal: AbortSignal,
): Promise<Exchange> {
  const { MalformedStream, readEvents } = await import('./event-stream.ts');
  const sentAtMs = performance.now();
  const stream = client.stream(url, { method, headers, signal, ...(body === null ? {} : { body }) });
  const head = new Promise<{ statusCode: number; headers: Head['headers'] }>((resolve) =>
    stream.once('response', resolve),
  );
  // What breaks the stream off rejects both; the other one must not go unheard.
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  const response = await Promise.race([head, broken]);
  void broken.catch(() => undefined);
  if (response.statusCode >= 400) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return answerOf(response, Buffer.concat(chunks), 'text');
  }
  try {
    const { events, bytes } = await readEvents(stream, sentAtMs);
    return { ...answerOf(response, new Uint8Array(), 'text'), text: null, bytes, events };
  } catch (error) {
    if (error instanceof MalformedStream) return failed(wrong(`the stream can't be read: ${error.message}`));
    throw error;
  }
}

interface Head {
  readonly statusCode: number;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function answerOf({ statusCode, headers }: Head, body: Uint8Array, read: ReadAs): Answer {
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
