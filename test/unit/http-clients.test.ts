import { getEventListeners, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadHttpClient } from '../../src/execution/http-clients.ts';

const settings = { region: 'us-east-1', endpoint: null, sockets: 1, attempts: 1 };

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer(({ url: path, socket }, response) => {
    if (path === '/broken') socket.destroy();
    else response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.int() }).parse(server.address());
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => server.close());

describe.each(['got', 'undici'] as const)('%s', (name) => {
  it.each([
    ['/', 'answered'],
    ['/broken', 'failed'],
  ])('leaves nothing with the signal of a request for %s', async (path, state) => {
    const client = (await loadHttpClient(name))(settings);
    const { signal } = new AbortController();
    for (let request = 0; request < 20; request += 1) {
      const exchange = await client.send(
        { method: 'GET', url: `${url}${path}`, headers: {}, body: null },
        'text',
        signal,
      );
      expect(exchange.state).toBe(state);
    }
    client.close();
    await expect.poll(() => getEventListeners(signal, 'abort'), { interval: 1 }).toEqual([]);
  });
});
