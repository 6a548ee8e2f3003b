import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { WireRequest } from './sigv4-verifier.ts';

/** An HTTP server that notes down what it is sent, and answers everything with `noted`. */
export interface Recorder {
  readonly url: string;
  /** In the order in which they came. */
  readonly requests: readonly WireRequest[];
  close(): void;
}

export async function startRecorder(): Promise<Recorder> {
  const requests: WireRequest[] = [];
  async function note(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const { method = '', url: target = '', headers } = incoming;
    const flat = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    requests.push({ method, target, headers: Object.fromEntries(flat), body });
    outgoing.setHeader('content-type', 'text/plain').end('noted');
  }
  const server = createServer((incoming, outgoing) => {
    note(incoming, outgoing).catch(() => outgoing.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
