import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BenchError, errorTable } from '../../src/errors.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';
import { rawRequest } from '../support/service.ts';
import { serveFake, type FakeService, type RunFake } from './http-app.ts';

describe('what is refused never reaches the bench', () => {
  let service: FakeService;
  beforeAll(async () => (service = await serveFake()));
  afterAll(() => service.close());

  it.each([
    ['an unknown workload', '/bench/fibb', 404, 'unknown_workload'],
    ['an unknown strategy', '/bench/fib?strategy=x', 400, 'invalid_parameter'],
    ['sdk in an isolate', '/bench/s3?strategy=sdk-isolate', 400, 'unsupported_combination'],
    ...['0', '-1', '1e9', 'abc', '10.5', ''].map(
      (tasks) => [`tasks=${tasks}`, `/bench/fib?tasks=${tasks}`, 400, 'invalid_parameter'] as const,
    ),
    ['a parameter given twice', '/bench/fib?tasks=1&tasks=1', 400, 'invalid_parameter'],
    ['n out of range', '/bench/fib?n=61', 400, 'invalid_parameter'],
    ['a typo', '/bench/fib?tsks=1', 400, 'invalid_parameter'],
    ['a parameter of another workload', '/bench/fib?ms=1', 400, 'invalid_parameter'],
    ['an overlong URL', `/bench/fib?n=${'1'.repeat(9000)}`, 400, 'bad_request'],
  ] as const)('%s', async (_what, path, status, code) => {
    const answer = await rawRequest(service.url, { path });
    expectProblem(answer, status, code);
    expect(service.plans).toEqual([]);
  });

  it.each(['HEAD', 'POST', 'OPTIONS', 'DELETE'])('%s', async (method) => {
    const answer = await rawRequest(service.url, { method, path: '/bench/fib' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    expect(service.plans).toEqual([]);
  });

  it.each([{ host: 'evil.example' }, { 'sec-fetch-site': 'cross-site' }])('%j', async (headers) => {
    expectProblem(await rawRequest(service.url, { path: '/bench/fib', headers }), 403, 'forbidden');
    expect(service.plans).toEqual([]);
  });

  it('a workload that is not configured', async () => {
    const world = worldOf(targetAt(null, { bucket: null }));
    const bare = await serveFake({ world });
    const answer = await rawRequest(bare.url, { path: '/bench/s3' });
    expectProblem(answer, 422, 'not_configured');
    expect(answer.text).toContain('S3_BUCKET');
    expect(bare.plans).toEqual([]);
    await bare.close();
  });
});

describe('a bearer token, where one is configured', () => {
  const benchToken = 'a-long-enough-token';
  let service: FakeService;
  beforeAll(async () => (service = await serveFake({ benchToken })));
  afterAll(() => service.close());

  it.each([
    ['none', {}],
    ['another', { authorization: 'Bearer another-long-token' }],
    ['only its beginning', { authorization: 'Bearer a-long' }],
    ['another scheme', { authorization: `Basic ${benchToken}` }],
  ])('%s is 401, says how, and starts nothing', async (_what, headers) => {
    for (const path of ['/bench/fib', '/bench/nothing', '/runs', '/runs/x/trace.json', '/strategies']) {
      const answer = await rawRequest(service.url, { path, headers });
      expectProblem(answer, 401, 'unauthorized');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.text).not.toContain(benchToken);
    }
    expect(service.plans).toEqual([]);
  });
});

describe('a limit of requests a minute, where there is one', () => {
  it('turns away what is above it, says when to come again, and spares what an orchestrator asks', async () => {
    const service = await serveFake({ rateLimitPerMinute: 3 });
    const ask = (path: string) => rawRequest(service.url, { path });
    for (const path of ['/bench/fib', '/runs', '/bench/nothing']) {
      const answer = await ask(path);
      expect(answer.status).not.toBe(429);
      expect(answer.headers.get('ratelimit-policy')).toContain('q=3');
    }
    const refused = await ask('/bench/fib');
    expectProblem(refused, 429, 'too_many_requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(service.plans).toHaveLength(1);
    expect((await ask('/healthz')).status).toBe(200);
    const { text } = await ask('/openapi.json');
    expect(text).toContain('`too_many_requests`');
    await service.close();
  });

  it('is there by default beyond loopback only', async () => {
    const service = await serveFake();
    const { headers } = await rawRequest(service.url, { path: '/runs' });
    expect(headers.get('ratelimit-policy')).toBeNull();
    await service.close();
  });
});

describe('what the bench refuses', () => {
  it.each([
    ['busy', true],
    ['shutting_down', true],
    ['no_objects', false],
  ] as const)('%s keeps its status and words; when to try again: %s', async (code, retry) => {
    const service = await serveFake({}, failing(new BenchError(code, 'the words')));
    const answer = await rawRequest(service.url, { path: '/bench/fib' });
    expectProblem(answer, errorTable[code].status, code);
    expect(JSON.parse(answer.text).detail).toBe('the words');
    expect(/^[1-9]\d*$/.test(answer.headers.get('retry-after') ?? '')).toBe(retry);
    await service.close();
  });

  it('a fault of the service is reported once, and its words are kept from the client', async () => {
    const fault = new TypeError('inner secret');
    const service = await serveFake({}, failing(fault));
    const answer = await rawRequest(service.url, { path: '/bench/fib' });
    expectProblem(answer, 500, 'internal_error');
    expect(answer.text).not.toContain('inner secret');
    expect(service.faults).toEqual([fault]);
    await service.close();
  });
});

function failing(error: Error): RunFake {
  return async () => {
    throw error;
  };
}

function expectProblem(answer: Awaited<ReturnType<typeof rawRequest>>, status: number, code: string): void {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    status,
    'application/problem+json; charset=utf-8',
  ]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(problemSchema.parse(JSON.parse(answer.text))).toMatchObject({ code, status });
}
