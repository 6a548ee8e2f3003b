import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A connection that a relay has seen. */
export interface SeenConnection {
  open: boolean;
  /** How often something was sent on it, from the client's side. */
  sent: number;
}

/** Stands before a server and sees the connections to it. */
export class Relay {
  readonly port: number;
  readonly connections: SeenConnection[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  static async to(endpoint: string): Promise<Relay> {
    const { hostname, port } = new URL(endpoint);
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return new Relay(server, address.port, { host: hostname, port: Number(port) });
  }

  private constructor(relaying: Server, port: number, upstream: { host: string; port: number }) {
    this.#server = relaying;
    this.port = port;
    relaying.on('connection', (client) => {
      const seen = { open: true, sent: 0 };
      this.connections.push(seen);
      const server = connect({ ...upstream, allowHalfOpen: true });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        // What breaks off one side ends both.
        socket.on('error', () => (client.destroy(), server.destroy()));
        socket.on('close', () => (this.#sockets.delete(socket), client.destroy(), server.destroy()));
      }
      client.on('data', () => (seen.sent += 1));
      client.on('end', () => (seen.open = false));
      client.on('close', () => (seen.open = false));
      client.pipe(server).pipe(client);
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}
