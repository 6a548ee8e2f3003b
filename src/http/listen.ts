import { once } from 'node:events';
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { collectWhenIdle } from '../idle-garbage.ts';
import { isSystemError } from '../system-error.ts';
import { pretty, problemOf, type Problem } from './problem.ts';

export interface ListeningServer {
  readonly url: string;
  readonly port: number;
  /** Stops taking connections; resolves when the requests that are being served have their answers. */
  close(): Promise<void>;
}

/** So many clients are connected at once; more are cut off unheard. */
const mostConnections = 4_096;

/** How often connections that have become idle are closed, once no more are taken. */
const sweepMs = 20;

/** How long a client may take, in milliseconds. */
export interface ClientLimits {
  /** Until the last header has been read. */
  readonly headersMs: number;
  /** Until the whole request has been read. */
  readonly requestMs: number;
  /** How often connections are looked at; Node's own 30 s would make both as late as that. */
  readonly lookEveryMs: number;
  /** While it reads nothing of an answer that is ready. */
  readonly answerMs: number;
}

const defaultLimits: ClientLimits = {
  headersMs: 10_000,
  requestMs: 20_000,
  lookEveryMs: 1_000,
  answerMs: 30_000,
};

/**
 * Serves an application.
 * @throws Error that names the port when it is taken
 */
export async function listen(
  app: RequestListener,
  host: string,
  port: number,
  limits: ClientLimits = defaultLimits,
): Promise<ListeningServer> {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.lookEveryMs,
      keepAliveTimeout: 65_000,
      // Without a Host header the application refuses it, in words.
      requireHostHeader: false,
    },
    app,
  );
  server.maxConnections = mostConnections;
  // Else an answer that nobody reads is kept as long as its client likes. Node takes the limit off with the next request.
  server.prependListener('request', (_, response) => {
    response.once('prefinish', () => response.setTimeout(limits.answerMs));
  });
  collectWhenIdle(server);
  server.on('clientError', answerUnreadable);
  server.listen(port, host);
  await listening(server, host, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP address.');
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      // A connection that is kept alive becomes idle only after its answer.
      const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
      await closed;
      clearInterval(sweep);
    },
  };
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (cause) {
    const taken = isSystemError(cause, 'EADDRINUSE');
    const reason = taken ? 'it is taken: set PORT to a free one' : String(cause);
    throw new Error(`Cannot listen on ${host}:${port}: ${reason}.`, { cause });
  }
}

/** What Node itself refuses, before there is a request. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const problem = problemOfUnreadable(error.code);
  const body = pretty(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    'Cache-Control: no-store',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function problemOfUnreadable(code: string | undefined): Problem | ProblemOfHttp {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = 'The request did not arrive in time.';
    return { type: 'about:blank', title: 'Request Timeout', status: 408, detail };
  }
  if (code !== 'HPE_HEADER_OVERFLOW')
    return problemOf('bad_request', 'The request cannot be read as HTTP/1.1.');
  const field = {
    field: 'url',
    value: null,
    reason: 'is too long, with the headers',
    allowed: '16 kB of both',
  };
  return problemOf('bad_request', 'The URL and headers are too long.', [field]);
}

/** A problem that says no more than its status (RFC 9457, 4.2.1). */
type ProblemOfHttp = Pick<Problem, 'title' | 'status' | 'detail'> & { readonly type: 'about:blank' };
