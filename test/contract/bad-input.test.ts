import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { problemSchema } from '../../src/http/schemas.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { rawRequest, type RunningService } from '../support/service.ts';
import { startTracedService } from '../support/traced-service.ts';

let service: RunningService;
let receiver: OtlpReceiver;
beforeAll(async () => {
  const traced = await startTracedService({ ALLOWED_HOSTS: 'bench.example', MAX_TASKS: '500' });
  ({ service, receiver } = traced);
  return traced.stop;
});

type Case = [path: string, field: string, value: string | null, code: string];

const parameters: readonly Case[] = [
  ['/bench/fib?strategy=asynk', 'strategy', 'asynk', 'invalid_parameter'],
  ['/bench/fib?strategy=', 'strategy', '', 'invalid_parameter'],
  ['/bench/fib?strategy=presigned-async', 'strategy', 'presigned-async', 'invalid_parameter'],
  ['/bench/s3?strategy=async', 'strategy', 'async', 'invalid_parameter'],
  ['/bench/s3?strategy=sdk-isolate', 'strategy', 'sdk-isolate', 'unsupported_combination'],
  ['/bench/s3?strategy=sdk-isolate-threads', 'strategy', 'sdk-isolate-threads', 'unsupported_combination'],
  [
    '/bench/s3?strategy=sdk-isolate-subprocess',
    'strategy',
    'sdk-isolate-subprocess',
    'unsupported_combination',
  ],
  ...['0', '-1', '1e9', 'abc', '10.5', '', '501', '99999999999999999999', ' 5', '+5', '0x10', '٣'].map(
    (value): Case => [`/bench/fib?tasks=${encodeURIComponent(value)}`, 'tasks', value, 'invalid_parameter'],
  ),
  ['/bench/fib?tasks=1&tasks=2', 'tasks', '1, 2', 'invalid_parameter'],
  ['/bench/fib?tasks=1&tasks=1', 'tasks', '1, 1', 'invalid_parameter'],
  ['/bench/fib?tasks[]=1', 'tasks[]', '1', 'invalid_parameter'],
  ['/bench/fib?n=61', 'n', '61', 'invalid_parameter'],
  ['/bench/fib?n=-1', 'n', '-1', 'invalid_parameter'],
  ['/bench/sleep?ms=60001', 'ms', '60001', 'invalid_parameter'],
  ['/bench/fib?task=3', 'task', '3', 'invalid_parameter'],
  ['/bench/fib?__proto__=1', '__proto__', '1', 'invalid_parameter'],
  ['/bench/fib?constructor=1', 'constructor', '1', 'invalid_parameter'],
  ['/bench/fib?ms=5', 'ms', '5', 'invalid_parameter'],
  ['/bench/sleep?n=5', 'n', '5', 'invalid_parameter'],
  ['/bench/fib?client=got', 'client', 'got', 'invalid_parameter'],
  ['/bench/s3?strategy=sdk-async&client=got', 'client', 'got', 'unsupported_combination'],
  ['/bench/s3?client=curl', 'client', 'curl', 'invalid_parameter'],
  ['/bench/fib?pool=hot', 'pool', 'hot', 'invalid_parameter'],
  ['/bench/fib?join=some', 'join', 'some', 'invalid_parameter'],
  ['/bench/fib?detail=all', 'detail', 'all', 'invalid_parameter'],
  ['/bench/fib?runtime=node4', 'runtime', 'node4', 'invalid_parameter'],
  ['/bench/fib?attempts=6', 'attempts', '6', 'invalid_parameter'],
  ['/bench/fib?timeoutMs=0', 'timeoutMs', '0', 'invalid_parameter'],
  ['/bench/fib?timeoutMs=30001', 'timeoutMs', '30001', 'invalid_parameter'],
  ['/bench/fib?tasks=3&concurrency=4', 'concurrency', '4', 'unsupported_combination'],
  ['/bench/fib?strategy=single&concurrency=2', 'concurrency', '2', 'unsupported_combination'],
  ['/bench/fib?strategy=isolate&concurrency=2', 'concurrency', '2', 'unsupported_combination'],
  ['/runs?limit=3', 'limit', '3', 'invalid_parameter'],
  ['/workloads?x=1', 'x', '1', 'invalid_parameter'],
];

describe('bad input', () => {
  it.each(parameters)('%s is refused for %s=%s with %4$s', async (path, field, value, code) => {
    const problem = await service.refused(path, 400);
    expect(problem.code).toBe(code);
    expect(problem.errors).toHaveLength(1);
    expect(problem.errors?.[0]).toMatchObject({ field, value, reason: expect.stringMatching(/\w/) });
    expect(problem.detail).toContain(field);
  });

  it('tells all problems of a request at once', async () => {
    const problem = await service.refused('/bench/fib?tasks=0&n=99&strategie=async&detail=no', 400);
    expect(problem.errors?.map(({ field }) => field).toSorted()).toEqual([
      'detail',
      'n',
      'strategie',
      'tasks',
    ]);
  });

  it('says what is allowed, as a range or as a list', async () => {
    const { errors } = await service.refused('/bench/fib?n=99&strategy=x', 400);
    expect(errors?.find(({ field }) => field === 'n')?.allowed).toBe('0 … 60');
    expect(errors?.find(({ field }) => field === 'strategy')?.allowed).toContain('isolate-threads');
  });

  it('says why the SDK and an isolate do not go together', async () => {
    const { detail } = await service.refused('/bench/s3?strategy=sdk-isolate', 400);
    expect(detail).toContain('Node APIs');
  });

  it.each([
    ['/bench/fibb', 'unknown_workload'],
    ['/bench/__proto__', 'unknown_workload'],
    ['/runs/none', 'run_not_found'],
    ['/runs/none/trace.json', 'run_not_found'],
    ['/nothing', 'not_found'],
    ['/bench', 'not_found'],
  ])('%s is 404 %s', async (path, code) => {
    expect((await service.refused(path, 404)).code).toBe(code);
  });

  it('an unknown workload names those that there are', async () => {
    const { errors } = await service.refused('/bench/fibb', 404);
    expect(errors?.[0]).toMatchObject({
      field: 'workload',
      value: 'fibb',
      allowed: ['fib', 'sleep', 'http', 's3', 'bedrock', 'sts'],
    });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is 405 with Allow', async (method) => {
    for (const path of ['/bench/fib?tasks=1', '/runs', '/healthz', '/metrics', '/openapi.json']) {
      const { status, headers, text } = await rawRequest(service.url, { method, path });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, 'GET']);
      expect(problemSchema.parse(JSON.parse(text))).toMatchObject({
        code: 'method_not_allowed',
        errors: [{ field: 'method', value: method, allowed: ['GET'] }],
      });
    }
  });

  it('HEAD is 405 with Allow, and starts no run as Express alone would', async () => {
    for (const path of ['/bench/fib?tasks=1', '/runs', '/healthz', '/metrics', '/openapi.json']) {
      const { status, headers, text } = await rawRequest(service.url, { method: 'HEAD', path });
      expect([path, status, headers.get('allow'), text]).toEqual([path, 405, 'GET', '']);
    }
  });

  it('an overlong URL is a bad request, whether Express or Node reads it first', async () => {
    for (const length of [9_000, 100_000]) {
      const answer = await rawRequest(service.url, { path: `/bench/fib?x=${'a'.repeat(length)}` });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      const problem = problemSchema.parse(JSON.parse(answer.text));
      expect(problem).toMatchObject({ code: 'bad_request', errors: [{ field: 'url' }] });
      expect(answer.text.length).toBeLessThan(2_000);
    }
  });

  it('an overlong value is not repeated in full', async () => {
    const { status, text } = await service.get(`/bench/${'x'.repeat(5_000)}`);
    expect([status, text.length < 2_000]).toEqual([404, true]);
  });

  it.each([
    ...[
      'X-Amz-Signature',
      'x-amz-credential',
      'X-Amz-Security-Token',
      'AWSAccessKeyId',
      'Signature',
      'sig',
    ].map((name) => ({ path: `/bench/fib?${name}=MARKED` })),
    { path: '/bench/fib?%58-Amz-Signature=MARKED&sig=MARKED' },
    { path: '/runs?sig=MARKED' },
    { path: '/compare/fib?AWSAccessKeyId=MARKED' },
    { path: '/bench/s3?strategy=http://b/?X-Amz-Signature=MARKED' },
    { path: `/bench/fib?sig=MARKED&x=${'a'.repeat(9_000)}` },
    { path: '/bench/fib', headers: { host: 'x?sig=MARKED' } },
    { path: '/bench/fib', headers: { origin: 'http://user:MARKED@evil.example' } },
  ])('what signs or authorises is not repeated: %j', async (request) => {
    const { status, text } = await rawRequest(service.url, request);
    expect([400, 403]).toContain(status);
    expect(text).toContain('REDACTED');
    expect(text).not.toContain('MARKED');
  });

  it.each(['/HEALTHZ', '/Metrics', '/Bench/fib?tasks=1&n=1', '/OpenAPI.json'])(
    'a path in other letters is not there: %s',
    async (path) => {
      expect((await service.get(path)).status).toBe(404);
    },
  );

  it('a request without a Host is forbidden, in words', async () => {
    const { port } = new URL(service.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.end('GET /bench/fib HTTP/1.1\r\nConnection: close\r\n\r\n');
    const answer = (await socket.setEncoding('utf8').toArray()).join('');
    expect(answer).toContain('HTTP/1.1 403');
    expect(answer).toContain('"code": "forbidden"');
  });

  it('a path that is not percent-encoded text is a bad request', async () => {
    const answer = await rawRequest(service.url, { path: '/bench/%E0%A4%A' });
    expect([answer.status, problemSchema.parse(JSON.parse(answer.text)).code]).toEqual([400, 'bad_request']);
  });

  it.each([
    [{ host: 'evil.example' }, 'Host'],
    [{ host: 'evil.example:8080' }, 'Host'],
    [{ host: 'localhost.evil.example' }, 'Host'],
    [{ host: '127.256.0.1' }, 'Host'],
    [{ 'sec-fetch-site': 'cross-site' }, 'Sec-Fetch-Site'],
  ])('a request with %j is forbidden', async (headers, field) => {
    const answer = await rawRequest(service.url, { path: '/bench/fib?tasks=1&n=1', headers });
    expect(answer.status).toBe(403);
    const problem = problemSchema.parse(JSON.parse(answer.text));
    expect([problem.code, problem.errors?.[0]?.field]).toEqual(['forbidden', field]);
  });

  it.each([
    { host: 'bench.example' },
    { host: 'bench.example:8080' },
    { host: 'localhost' },
    { 'sec-fetch-site': 'none' },
  ])('a request with %j is served', async (headers) => {
    expect((await rawRequest(service.url, { path: '/runs', headers })).status).toBe(200);
  });
});

describe('after all of it', () => {
  it('no run was started and no task span was made', async () => {
    expect(JSON.parse((await service.get('/runs')).text)).toEqual({ runs: [] });
    const { trace } = await service.run('/bench/fib?tasks=1&n=1&strategy=threads');
    await receiver.received(3, trace.traceId);
    const ofRuns = receiver.spans.map(({ name }) => name).filter((name) => /^(task|run) /.test(name));
    expect(ofRuns.toSorted()).toEqual(['run fib threads', 'task fib 0']);
  });
});
