import { once } from 'node:events';
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { collectWhenIdle } from '../idle-garbage.ts';
import { pretty, problemOf } from './problem.ts';

export interface ListeningServer {
  readonly url: string;
  readonly port: number;
  /** Stops taking connections; resolves when the requests that are being served have their answers. */
  close(): Promise<void>;
}

/** How often connections that have become idle are closed, once no more are taken. */
const sweepMs = 20;

/**
 * Serves an application.
 * @throws Error that names the port when it is taken
 */
export async function listen(app: RequestListener, host: string, port: number): Promise<ListeningServer> {
  const server = createServer(
    // Without a Host header the application refuses it, in words.
    { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 65_000, requireHostHeader: false },
    app,
  );
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
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const reason = taken ? 'it is taken: set PORT to a free one' : String(cause);
    throw new Error(`Cannot listen on ${host}:${port}: ${reason}.`, { cause });
  }
}

/** What Node itself refuses, before there is a request. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const detail = tooLarge ? 'The URL and headers are too long.' : 'The request cannot be read as HTTP/1.1.';
  const field = {
    field: 'url',
    value: null,
    reason: 'is too long, with the headers',
    allowed: '16 kB of both',
  };
  const body = pretty(problemOf('bad_request', detail, tooLarge ? [field] : []));
  const head = [
    `HTTP/1.1 400 ${STATUS_CODES[400]}`,
    'Content-Type: application/problem+json; charset=utf-8',
    'Cache-Control: no-store',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
