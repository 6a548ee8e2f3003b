import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { semanticMetric } from '../../otel/names.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { Exposition } from '../support/exposition.ts';
import { rawRequest, startService, type RunningService } from '../support/service.ts';
import { depsOf, serveFake, type FakeService } from './http-app.ts';

async function metricsOf(service: RunningService): Promise<Exposition> {
  const { status, text } = await service.get('/metrics');
  expect(status).toBe(200);
  return new Exposition(text);
}

/** Every label there may be. */
const labelNames = [
  'bench_access',
  'bench_client',
  'bench_join',
  'bench_outcome',
  'bench_pool',
  'bench_runtime',
  'bench_strategy',
  'bench_task_state',
  'bench_workload',
  'error_type',
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'gen_ai_token_type',
  'http_request_method',
  'http_response_status_code',
  'http_route',
  'le',
  'network_protocol_version',
  'nodejs_eventloop_state',
  'service_instance_id',
  'service_name',
  'telemetry_sdk_language',
  'telemetry_sdk_name',
  'telemetry_sdk_version',
  'url_scheme',
  'v8js_gc_type',
  'v8js_heap_space_name',
  'v8js_resource_type',
];

describe('the metrics', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService();
    await service.run('/bench/bedrock?stream=true&strategy=sdk-async');
    await service.run('/bench/s3?tasks=2&client=undici');
    await service.run('/bench/fib?n=5&strategy=single&tasks=2');
  });
  afterAll(() => service.stop());

  it('come in the format that Prometheus scrapes, and in no other way than the rest', async () => {
    const { headers } = await service.get('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('traceresponse')).toBeNull();
    const { url } = service;
    const stranger = await rawRequest(url, { path: '/metrics', headers: { host: 'evil.example' } });
    const page = await rawRequest(url, { path: '/metrics', headers: { 'sec-fetch-site': 'cross-site' } });
    const posted = await rawRequest(url, { path: '/metrics', method: 'POST' });
    expect([stranger.status, page.status, posted.status]).toEqual([403, 403, 405]);
  });

  it('tell of the runs that were made', async () => {
    const metrics = await metricsOf(service);
    const fib = { bench_workload: 'fib', bench_strategy: 'single' };
    expect(metrics.sum('bench_run_duration_count', { ...fib, bench_outcome: 'ok' })).toBe(1);
    expect(metrics.sum('bench_run_queue_count', fib)).toBe(1);
    for (const name of ['duration', 'queue', 'prepare'])
      expect([name, metrics.sum(`bench_task_${name}_count`, fib)]).toEqual([name, 2]);
    expect(metrics.sum('bench_run_parallelism_count')).toBe(3);
    // What CPU work would cost alone is not known.
    expect(metrics.sum('bench_run_efficiency_count')).toBe(2);
    for (const name of ['duration', 'time_to_first_chunk'])
      expect([name, metrics.sum(`gen_ai_client_operation_${name}_count`)]).toEqual([name, 3]);
    expect(metrics.sum('gen_ai_client_token_usage_count', { gen_ai_token_type: 'output' })).toBe(3);
  });

  it('have those of OpenTelemetry’s own libraries beside them, with the conventions’ boundaries', async () => {
    const metrics = await metricsOf(service);
    for (const name of Object.values(semanticMetric))
      expect([...metrics.types.keys()]).toContain(name.replaceAll('.', '_'));
    const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    expect(metrics.boundaries('http_server_request_duration')).toEqual(seconds);
    const route = { http_route: '/bench/:workload', http_response_status_code: '200' };
    expect(metrics.sum('http_server_request_duration_count', route)).toBe(3);
    expect(metrics.of('nodejs_eventloop_delay_p99')).toMatchObject([{ value: expect.any(Number) }]);
  });

  it('have the same labels and as many series after any number of hostile requests', async () => {
    await hostileRequests(service, 0);
    const before = await metricsOf(service);
    for (let index = 1; index <= 40; index += 1) await hostileRequests(service, index);
    const after = await metricsOf(service);
    expect(after.labelNames).toEqual(labelNames);
    expect(ofRequests(after)).toEqual(ofRequests(before));
    // They were counted, each of them; requests to paths below /metrics are the machinery's.
    const more = (name: string): number => after.sum(name) - before.sum(name);
    expect(more('bench_runs_rejected_total')).toBe(40 * 7);
    expect(more('http_server_request_duration_count')).toBe(40 * 14);
    expect(more('bench_run_duration_count')).toBe(40 * 2);
  });

  it('count a runner that was started in place of one that died, or was killed with its run', async () => {
    const restarts = async (): Promise<number> =>
      (await metricsOf(service)).sum('bench_runner_restarts_total');
    const before = await restarts();
    const { runner } = await service.run('/bench/sleep?strategy=async&ms=0&tasks=1');
    process.kill(runner.pid ?? 0, 'SIGKILL');
    await expect
      .poll(async () => (await service.run('/bench/sleep?strategy=async&ms=0&tasks=1')).runner.pid)
      .not.toBe(runner.pid);
    expect(await restarts()).toBe(before + 1);
    // A task that blocks its runner can only be stopped with it.
    await service.failedRun('/bench/sleep?strategy=single&ms=5000&tasks=1&timeoutMs=50', 504);
    expect(await restarts()).toBe(before + 1);
    await service.run('/bench/sleep?strategy=single&ms=0&tasks=1');
    expect(await restarts()).toBe(before + 2);
  });
});

/** All but those of the process's memory, which come and go by themselves. */
function ofRequests({ series }: Exposition): readonly string[] {
  return series
    .filter(({ name }) => !name.startsWith('v8js_'))
    .map(({ name, labels }) => JSON.stringify([name, labels]))
    .toSorted();
}

/** Requests as nobody should send them, none like another; eight are refused runs. */
async function hostileRequests({ url }: RunningService, index: number): Promise<void> {
  const odd = `odd-${index}`;
  const ask = async (
    path: string,
    options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<number> => (await rawRequest(url, { path, ...options })).status;
  const header = {
    [`x-${odd}`]: odd,
    'user-agent': odd,
    forwarded: `host=${odd};proto=gopher`,
    'x-forwarded-proto': odd,
    'x-forwarded-host': odd,
    baggage: `${odd}=1`,
    tracestate: `${odd}=1`,
  };
  expect([
    await ask(`/bench/${odd}`, { headers: header }),
    await ask(`/bench/fib?strategy=${odd}`),
    await ask(`/bench/fib?${odd}=${odd}`),
    await ask(`/bench/fib/`, { headers: { host: `${odd}.example` } }),
    await ask(`/compare/${odd}?strategies=${odd}`),
    await ask(`/bench/${encodeURIComponent(`${odd}"} 1\n{\\`)}`),
    await ask(`/BENCH/${odd}`),
    await ask(`/bench/fib`, { method: oddMethods[index % oddMethods.length] ?? '' }),
    await ask(`/${odd}`),
    await ask(`/runs/${odd}`),
    await ask(`/metrics/${odd}`),
    await ask(`//${odd}/%2e%2e/`),
    await ask(`/?${odd}`),
    await ask(`/bench/fib?n=${index % 60}&tasks=1`, { headers: header }),
    await ask(`/bench/sleep?strategy=single&tasks=1&ms=${index}&timeoutMs=${1000 + index}`),
  ]).toEqual([404, 400, 400, 403, 404, 404, 404, 405, 404, 404, 404, 404, 404, 200, 200]);
}

/** Not in OpenTelemetry's list of known ones, so that they all count as `_OTHER`. */
const oddMethods = ['PROPFIND', 'MKCALENDAR', 'M-SEARCH', 'REBIND', 'UNLOCK', 'SUBSCRIBE'];

describe('whatever a run was about', () => {
  it('is not told: no key, no URL, no signature, where all is well', async () => {
    const service = await startService();
    const told: string[] = [];
    for (const { declaration } of workloads) {
      const { text } = await service.get(
        `/bench/${declaration.name}?tasks=2${smallest[declaration.name] ?? ''}`,
      );
      told.push(text);
    }
    const metrics = (await service.get('/metrics')).text;
    await service.stop();
    // The emulator's, which the runs did use, and what would give them away.
    expect(told.join('')).toContain('"workload": "s3"');
    expect(metrics).not.toMatch(/photos|\.jpg|pages|127\.0\.0\.1|localhost|https?:\/\/|amz|credential/iu);
    for (const { declaration } of workloads)
      expect(metrics).toContain(`bench_workload="${declaration.name}"`);
  });

  it('is not told where an upstream refuses it in words of its own', async () => {
    const upstream = await refusingUpstream();
    const service = await startService({
      TARGET: 'aws',
      AWS_ENDPOINT_URL: upstream.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'MARKEDKEY',
      AWS_SECRET_ACCESS_KEY: 'MARKEDSECRET',
      AWS_SESSION_TOKEN: 'MARKEDTOKEN',
      S3_BUCKET: 'marked-bucket',
      S3_KEYS: 'MARKED/key.jpg',
      HTTP_URLS: `${upstream.url}/MARKED?sig=MARKED`,
      BEDROCK_MODEL_ID: 'a-model',
    });
    const statuses: number[] = [];
    for (const workload of ['s3', 'bedrock', 'sts', 'http'])
      for (const strategy of workload === 'http' ? ['async'] : ['presigned-threads', 'sdk-async'])
        statuses.push((await service.get(`/bench/${workload}?strategy=${strategy}&tasks=2`)).status);
    const text = (await service.get('/metrics')).text;
    await service.stop();
    upstream.server.close();
    upstream.server.closeAllConnections();
    expect(statuses).toEqual(statuses.map(() => 502));
    expect(upstream.asked.join('')).toContain('MARKED');
    expect(text).not.toMatch(/marked|127\.0\.0\.1|https?:\/\//iu);
    const metrics = new Exposition(text);
    expect(metrics.sum('bench_task_duration_count', { error_type: 'upstream_error' })).toBe(14);
    expect(metrics.sum('gen_ai_client_operation_duration_count', { error_type: 'upstream_error' })).toBe(4);
  });
});

const smallest: Readonly<Record<string, string>> = { fib: '&n=5', sleep: '&ms=1' };

/** Answers all with an error that names a secret wherever there is room for words. */
async function refusingUpstream(): Promise<{
  readonly server: Server;
  readonly url: string;
  readonly asked: readonly string[];
}> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    const code = `MARKED${asked.length}`;
    const xml = `<Error><Code>${code}</Code><Message>MARKED words</Message></Error>`;
    response
      .writeHead(400, { 'x-amzn-errortype': code })
      .end(request.url?.startsWith('/model/') === true ? '{"message":"MARKED words"}' : xml);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.int() }).parse(server.address());
  return { server, url: `http://127.0.0.1:${port}`, asked };
}

describe('requests that are refused', () => {
  let service: FakeService;
  afterEach(() => service.close());

  it('are counted by code where they ask for a run or a comparison, and nowhere else', async () => {
    service = await serveFake();
    for (const path of ['/bench/fib?n=x', '/compare/nope', '/bench/', '/nope', '/runs/nope', '/runs?x'])
      await fetch(service.url + path);
    expect(service.rejected).toEqual(['invalid_parameter', 'unknown_workload', 'not_found']);
  });

  it('are counted where a client asked too often, too', async () => {
    service = await serveFake({ rateLimitPerMinute: 1 });
    await fetch(`${service.url}/bench/fib`);
    expect((await fetch(`${service.url}/bench/fib`)).status).toBe(429);
    expect(service.rejected).toEqual(['too_many_requests']);
  });

  it('are no faults, and need no token at /metrics', async () => {
    service = await serveFake({ benchToken: 'a-long-enough-token' });
    const answers = ['/bench/fib', '/metrics'].map(async (path) => (await fetch(service.url + path)).status);
    expect(await Promise.all(answers)).toEqual([401, 200]);
    expect(service.rejected).toEqual(['unauthorized']);
    expect(service.faults).toEqual([]);
  });

  it('are a service’s fault when the metrics themselves cannot be read', async () => {
    const { metrics } = depsOf();
    service = await serveFake({ metrics: { ...metrics, text: () => Promise.reject(new Error('no')) } });
    expect((await fetch(`${service.url}/metrics`)).status).toBe(500);
    expect(service.faults).toHaveLength(1);
  });
});
