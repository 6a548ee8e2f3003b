import got, { ReadError, RequestError, type Got, type Response } from 'got';
import { keepAliveAgents } from '../aws/agents.ts';
import type { PlainRequest } from '../aws/client.ts';
import { transportError } from '../aws/transport-error.ts';
import type { Exchange, ReadAs } from '../workloads/task.ts';
import { answerOf, eventsAnswer } from './answer.ts';
import type { OpenHttp } from './tools.ts';

/** A got client as {@link ClientSettings} ask: HTTP/1.1, no retry, redirect or decompression of its own. */
export const openGot: OpenHttp = ({ sockets }) => {
  const agent = keepAliveAgents(sockets);
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
): Promise<Exchange> {
  const response = await client(url, { method, headers, signal, ...(body === null ? {} : { body }) });
  return answerOf(response, response.rawBody, read);
}

async function sendForEvents(
  client: Got,
  { method, url, headers, body }: PlainRequest,
  signal: AbortSignal,
): Promise<Exchange> {
  const sentAtMs = performance.now();
  const stream = client.stream(url, { method, headers, signal, ...(body === null ? {} : { body }) });
  const head = new Promise<Response>((resolve) => stream.once('response', resolve));
  // What breaks the stream off rejects both; the other one must not go unheard.
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  const response = await Promise.race([head, broken]);
  void broken.catch(() => undefined);
  try {
    return await eventsAnswer(response, stream, sentAtMs);
  } finally {
    // To destroy its request does not free the socket of an answer that came whole and is read in part (Node 26).
    response.destroy();
  }
}
