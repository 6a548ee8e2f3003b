import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { ReadError, RequestError } from 'got';
import { transportError } from '../aws/transport-error.ts';
import type { Answer } from '../workloads/task.ts';
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
    async send({ method, url, headers, body }, signal) {
      try {
        const content = body === null ? {} : { body };
        const response = await client(url, { method, headers, signal, ...content });
        return toAnswer(response.statusCode, response.headers, response.rawBody);
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

function toAnswer(statusCode: number, headers: NodeJS.Dict<string | string[]>, body: Uint8Array): Answer {
  return {
    state: 'answered',
    statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    bytes: body.byteLength,
    md5: createHash('md5').update(body).digest('hex'),
    errorText: statusCode < 400 ? null : new TextDecoder().decode(body),
  };
}
