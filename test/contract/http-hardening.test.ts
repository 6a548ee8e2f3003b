import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp, routesOf } from '../../src/http/app.ts';
import { listen, type ListeningServer } from '../../src/http/listen.ts';
import { rawRequest, startService, type RunningService } from '../support/service.ts';
import { depsOf, serveFake, type FakeService } from './http-app.ts';

/** All that comes back on a connection of its own, until the service closes it. */
async function exchange(url: string, ...sent: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  for (const part of sent) socket.write(part);
  return text(socket);
}

const host = 'Host: localhost\r\n';

describe('a client that takes its time (slowloris)', () => {
  let server: ListeningServer;
  beforeAll(async () => {
    const limits = { headersMs: 150, requestMs: 300, lookEveryMs: 50, answerMs: 30_000 };
    server = await listen(createApp(depsOf()), '127.0.0.1', 0, limits);
  });
  afterAll(() => server.close());

  it.each([
    ['sends headers without end', `GET /healthz HTTP/1.1\r\n${host}X-One: 1\r\n`],
    ['stops in the middle of a header', `GET /healthz HTTP/1.1\r\n${host}X-On`],
    ['stops in the middle of the request line', 'GET /heal'],
  ])('%s: is answered 408 and cut off', async (_what, sent) => {
    const answer = await exchange(server.url, sent);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/u);
    expect(head).toContain('Connection: close');
    expect(head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Request Timeout',
      status: 408,
      detail: 'The request did not arrive in time.',
    });
  });

  it('and many of them at once keep nobody else waiting for an answer', async () => {
    const slow = Array.from({ length: 200 }, () => exchange(server.url, `GET / HTTP/1.1\r\n${host}`));
    const others = Array.from({ length: 20 }, () => rawRequest(server.url, { path: '/healthz' }));
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408 /u);
  });
});

describe('a client that reads nothing of its answer', () => {
  const answerMs = 150;
  let server: ListeningServer;
  let closed: string[];
  beforeAll(async () => {
    closed = [];
    const app = express()
      .get('/large', (_, response) => {
        response.on('close', () => closed.push('large'));
        response.send(Buffer.alloc(64 * 2 ** 20));
      })
      .get('/late', (_, response) => void setTimeout(() => response.send('late'), 3 * answerMs));
    server = await listen(app, '127.0.0.1', 0, {
      headersMs: 10_000,
      requestMs: 10_000,
      lookEveryMs: 1_000,
      answerMs,
    });
  });
  afterAll(() => server.close());

  it('is cut off', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).write(`GET /large HTTP/1.1\r\n${host}\r\n`);
    await expect.poll(() => closed).toEqual(['large']);
    socket.destroy();
  });

  it('is not one that waits for its answer, on whatever connection', async () => {
    const late = `GET /late HTTP/1.1\r\n${host}`;
    const answers = await exchange(server.url, `${late}\r\n`, `${late}Connection: close\r\n\r\n`);
    expect(answers.match(/^late/gmu)).toHaveLength(2);
  });
});

describe('what is too much', () => {
  let service: FakeService;
  beforeEach(async () => {
    service = await serveFake();
  });
  afterEach(() => service.close());

  it('headers of more than 16 kB are refused unread', async () => {
    const answer = await exchange(
      service.url,
      `GET /bench/fib HTTP/1.1\r\n${host}X-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/u);
    expect(answer).toContain('"code": "bad_request"');
    expect(service.plans).toEqual([]);
  });

  it.each([
    ['announced', 'Content-Length: 1000000000\r\n'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n'],
  ])('a body, %s, is refused unread, and its connection ends', async (_what, header) => {
    // Nothing of the body is ever sent: who waited for it would not answer.
    const answer = await exchange(service.url, `GET /bench/fib HTTP/1.1\r\n${host}${header}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/u);
    expect(answer).toContain('Connection: close\r\n');
    expect(answer).toContain('"field": "body"');
    expect(service.plans).toEqual([]);
  });

  it('a body of a method that is not taken neither', async () => {
    const sent = `POST /bench/fib HTTP/1.1\r\n${host}Content-Length: 1000000000\r\n\r\n`;
    const answer = await exchange(service.url, sent);
    expect(answer).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/u);
    expect(answer).toContain('Connection: close\r\n');
  });

  it('an empty body is none', async () => {
    const headers = { 'content-length': '0' };
    expect((await rawRequest(service.url, { path: '/bench/fib', headers })).status).toBe(200);
    expect(service.plans).toHaveLength(1);
  });
});

describe('headers of every answer', () => {
  const origin = 'http://localhost:3000';
  let service: FakeService;
  beforeAll(async () => {
    service = await serveFake({ corsOrigins: [origin] });
  });
  afterAll(() => service.close());

  const everyPath = routesOf(depsOf()).map(({ path }) => path.replace(':workload', 'fib'));

  const requests: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ...everyPath.map((path) => ['GET', path, {}] as const),
    ['GET', '/bench/fib?n=x', {}],
    ['GET', '/bench/nothing', {}],
    ['GET', '/nothing', {}],
    ['GET', '/%', {}],
    ['POST', '/bench/fib', {}],
    ['HEAD', '/readyz', {}],
    ['GET', '/bench/fib', { host: 'elsewhere.example' }],
    ['OPTIONS', '/bench/fib', { origin, 'access-control-request-method': 'GET' }],
  ];
  it.each(requests)(
    '%s %s %j: how long it took, and that it is not to be kept',
    async (method, path, headers) => {
      const answer = await rawRequest(service.url, { method, path, headers });
      expect(answer.headers.get('server-timing')).toMatch(/^total;dur=[\d.]+(?:, |$)/u);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  it('the one to who is not ready too', async () => {
    const { bench } = depsOf();
    const checks = [{ name: 'runner', ok: false, problem: 'it is gone' }];
    const unready = await serveFake({ bench: { ...bench, readiness: async () => checks } });
    const answer = await rawRequest(unready.url, { path: '/readyz' });
    await unready.close();
    expect([answer.status, answer.headers.get('server-timing')]).toEqual([
      503,
      expect.stringMatching(/^total;dur=[\d.]+$/u),
    ]);
  });

  it.each([
    ['GET', '/bench/fib', 200],
    ['GET', '/healthz', 200],
    ['GET', '/metrics', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/bench/fib?n=x', 400],
    ['GET', '/nothing', 404],
    ['POST', '/bench/fib', 405],
  ])(
    '%s %s: a strict content security policy, no sniffing, no name of the server',
    async (method, path, status) => {
      const answer = await rawRequest(service.url, { method, path });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
      for (const absent of ['x-powered-by', 'server', 'strict-transport-security']) {
        expect(answer.headers.get(absent)).toBeNull();
      }
    },
  );
});

describe('pages of other origins', () => {
  const origin = 'http://localhost:3000';
  const preflight = {
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  };

  it('may read nothing by default: no answer allows an origin, and no preflight is answered', async () => {
    const service = await serveFake();
    for (const [method, path] of [
      ['GET', '/bench/fib'],
      ['GET', '/healthz'],
      ['OPTIONS', '/bench/fib'],
    ] as const) {
      const answer = await rawRequest(service.url, { method, path, headers: { origin, ...preflight } });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(answer.status).toBe(method === 'OPTIONS' ? 405 : 200);
    }
    await service.close();
  });

  it.each([
    ['bench.lan:8080', 'http://evil.example', 403],
    ['bench.lan:8080', 'null', 403],
    ['bench.lan:8080', 'http://localhost:3000', 403],
    ['localhost:8080', 'http://evil.example', 403],
    ['localhost:8080', 'http://127.0.0.1:3000', 200],
    ['bench.lan:8080', 'https://bench.lan', 200],
    ['bench.lan:8080', 'http://allowed.example', 200],
  ])('of %s and a page of %s, told by its origin alone: %i', async (name, from, status) => {
    const service = await serveFake({ allowedHosts: ['bench.lan'], corsOrigins: ['http://allowed.example'] });
    const answer = await rawRequest(service.url, {
      path: '/bench/fib',
      headers: { host: name, origin: from },
    });
    expect([answer.status, service.plans.length]).toEqual([status, status === 200 ? 1 : 0]);
    expect(answer.text.includes('"field": "Origin"')).toBe(status === 403);
    await service.close();
  });

  it('may where CORS_ORIGINS names theirs, and no other', async () => {
    const benchToken = 'a-long-enough-token';
    const service = await serveFake({ corsOrigins: [origin], benchToken });
    const allowed = { origin, 'sec-fetch-site': 'cross-site' };
    const asked = await rawRequest(service.url, {
      method: 'OPTIONS',
      path: '/bench/fib',
      headers: { ...allowed, ...preflight },
    });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect(asked.headers.get('access-control-allow-methods')).toBe('GET');
    expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull();

    const headers = { ...allowed, authorization: `Bearer ${benchToken}` };
    const ran = await rawRequest(service.url, { path: '/bench/fib', headers });
    expect([ran.status, ran.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    expect(ran.headers.get('vary')).toContain('Origin');
    expect(ran.headers.get('access-control-expose-headers')).toContain('traceresponse');
    // What is refused can be read too.
    const refused = await rawRequest(service.url, { path: '/bench/fib', headers: allowed });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);

    const others = { origin: 'http://localhost:4000', 'sec-fetch-site': 'cross-site' };
    const foreign = await rawRequest(service.url, { path: '/bench/fib', headers: others });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect(service.plans).toHaveLength(1);
    await service.close();
  });
});

describe('behind a proxy', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({ RATE_LIMIT_PER_MINUTE: '2' });
  });
  afterAll(() => service.stop());

  it('a client is told by its connection, whatever it says of itself, and nothing is printed past the log', async () => {
    const statuses: number[] = [];
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      const headers = { 'x-forwarded-for': client, forwarded: `for=${client}` };
      statuses.push((await service.get('/strategies', headers)).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    await service.get('/healthz');
    for (const line of service.log) expect(line).toMatch(/^\{"level":30,/u);
  });
});
