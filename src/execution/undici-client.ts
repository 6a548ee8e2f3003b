import { Agent, buildConnector, type Dispatcher } from 'undici';
import { transportError } from '../aws/transport-error.ts';
import { answerOf, eventsAnswer } from './answer.ts';
import type { OpenHttp } from './tools.ts';
import { observedConnector } from './undici-observer.ts';

/** An undici client as {@link ClientSettings} ask: HTTP/1.1 without pipelining, and none of its own interceptors. */
export const openUndici: OpenHttp = ({ sockets }) => {
  const agent = new Agent({
    connections: sockets,
    pipelining: 1,
    allowH2: false,
    connect: observedConnector(buildConnector({ allowH2: false })),
    // As long as the run takes; a server may close sooner.
    keepAliveTimeout: 120_000,
  });
  return {
    async send({ method, url, headers, body }, read, signal) {
      let answered = false;
      try {
        const sentAtMs = performance.now();
        const { origin, pathname, search } = new URL(url);
        const request = { origin, path: pathname + search, method, headers, body, signal };
        const response: Dispatcher.ResponseData = await unlessAborted(signal, agent.request(request));
        answered = true;
        if (read === 'event-stream') return await eventsAnswer(response, response.body, sentAtMs);
        return answerOf(response, new Uint8Array(await response.body.arrayBuffer()), read);
      } catch (error) {
        return transportError(asSystemError(error), answered);
      }
    },
    close: () => void agent.destroy(),
  };
};

/**
 * undici looks at a request's signal only when its connection stands, which may be never. A kept worker has one signal
 * for all its requests, so nothing of this one may stay with it.
 */
async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error('the task was stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** undici has a code of its own for a socket that the other side closed; the system's is the one that others tell. */
function asSystemError(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const closed = 'code' in error && error.code === 'UND_ERR_SOCKET';
  return closed ? Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNRESET' }) : error;
}
