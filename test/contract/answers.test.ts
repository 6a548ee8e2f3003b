import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorTable } from '../../src/errors.ts';
import { strategiesSchema, workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import {
  failedRunSchema,
  healthSchema,
  readinessSchema,
  runListSchema,
  runSchema,
  traceSchema,
} from '../../src/http/schemas.ts';
import { workloads } from '../../src/workloads/registry.ts';
import { rawRequest, startService, type RunningService } from '../support/service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startService({ EMULATOR_FAULTS: 'reset@photos/1.jpg', MAX_RUNS_KEPT: '3' });
});
afterAll(async () => {
  await service.stop();
});

describe('answers', () => {
  it.each([
    ['/workloads', workloadsSchema],
    ['/strategies', strategiesSchema],
    ['/runs', runListSchema],
    ['/healthz', healthSchema],
    ['/readyz', readinessSchema],
  ])('%s conforms to its schema, is pretty-printed and not cached', async (path, schema) => {
    const { status, headers, text } = await service.get(path);
    expect(status).toBe(200);
    expect(schema.safeParse(JSON.parse(text)).error).toBeUndefined();
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('a run can be had again, as it was answered, and its spans as a file', async () => {
    const body = await service.run('/bench/fib?tasks=2&n=5&strategy=threads');
    const again = await service.get(`/runs/${body.run.id}`);
    expect(runSchema.parse(JSON.parse(again.text))).toEqual(body);
    const file = await service.get(`/runs/${body.run.id}/trace.json`);
    expect(traceSchema.safeParse(JSON.parse(file.text)).error).toBeUndefined();
    expect(file.headers.get('content-disposition')).toContain(`${body.run.id}.trace.json`);
  });

  it('a failed run is a problem with all fields of a run, and can be had again as it was', async () => {
    const body = await service.failedRun('/bench/s3?tasks=3', 502);
    expect(body).toMatchObject({ code: 'tasks_failed', status: 502, outcome: 'tasks_failed' });
    expect(body.tasks.map(({ state, error }) => [state, error?.code])).toEqual([
      ['ok', undefined],
      ['failed', 'connection_failed'],
      ['ok', undefined],
    ]);
    const again = await service.get(`/runs/${body.run.id}`);
    expect(failedRunSchema.parse(JSON.parse(again.text))).toEqual(body);
  });

  it('a run that overruns its time is 504 with what is known', async () => {
    const body = await service.failedRun('/bench/sleep?strategy=single&tasks=3&ms=400&timeoutMs=600', 504);
    expect(body).toMatchObject({ code: 'run_timeout', outcome: 'run_timeout' });
    expect(body.tasks.map(({ state }) => state)).toEqual(['ok', 'failed', 'failed']);
    expect(body.tasks[1]).toMatchObject({ error: { code: 'run_timeout' }, startMs: expect.any(Number) });
    expect(body.tasks[2]).toMatchObject({ startMs: null, endMs: null });
    for (const { endMs } of body.tasks) expect(Number(endMs)).toBeLessThanOrEqual(body.durationMs);
  });

  it.each(['/healthz', '/workloads', '/nowhere', '/bench/fib?n=-1'])(
    '%s tells in Server-Timing how long its answer took',
    async (path) => {
      const { headers } = await service.get(path);
      expect(headers.get('server-timing')).toMatch(/^total;dur=[\d.]+$/);
    },
  );

  it.each([
    ['without a parent', {}],
    ['with one', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }],
  ])('have no traceresponse where no spans are made, %s', async (_, headers) => {
    expect((await service.get('/bench/fib?tasks=1&n=1', headers)).headers.get('traceresponse')).toBeNull();
  });

  it('runs carry Server-Timing', async () => {
    const { headers } = await service.get('/bench/s3?tasks=1');
    expect(headers.get('server-timing')).toMatch(
      /^total;dur=[\d.]+, before;dur=[\d.]+, run;dur=[\d.]+, sign;dur=[\d.]+, fanout;dur=[\d.]+$/,
    );
  });

  it('no more runs are kept than MAX_RUNS_KEPT', async () => {
    for (let run = 0; run < 4; run += 1) await service.run('/bench/fib?tasks=1&n=1');
    expect(runListSchema.parse(JSON.parse((await service.get('/runs')).text)).runs).toHaveLength(3);
  });
});

describe('the OpenAPI description', () => {
  const document = z.looseObject({
    openapi: z.literal('3.1.0'),
    paths: z.record(z.string(), z.object({ get: z.looseObject({ operationId: z.string() }) })),
  });

  it('has every path, and for each workload exactly the parameters of the catalogue', async () => {
    const { paths } = document.parse(JSON.parse((await service.get('/openapi.json')).text));
    expect(Object.keys(paths)).toEqual([
      ...workloads.map(({ declaration }) => `/bench/${declaration.name}`),
      ...workloads.map(({ declaration }) => `/compare/${declaration.name}`),
      '/runs',
      '/runs/{id}',
      '/runs/{id}/trace.json',
      '/workloads',
      '/strategies',
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
    ]);
    const { workloads: cards } = workloadsSchema.parse(JSON.parse((await service.get('/workloads')).text));
    for (const card of cards) {
      const described = z
        .array(z.looseObject({ name: z.string(), in: z.literal('query') }))
        .parse(paths[`/bench/${card.name}`]?.get['parameters']);
      expect(described.map(({ name }) => name)).toEqual(Object.keys(card.parameters));
    }
    const ids = Object.values(paths).map(({ get }) => get.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('documents every error code with its status', async () => {
    const { text } = await service.get('/openapi.json');
    const exempt = new Set(['unauthorized', 'not_found', 'too_many_requests']);
    const missing = Object.keys(errorTable).filter(
      (code) => !exempt.has(code) && !text.includes(`\`${code}\``),
    );
    expect(missing).toEqual([]);
  });
});

describe('a service with a token', () => {
  it('asks for it everywhere but where an orchestrator asks, and never says it', async () => {
    const token = 'a-token-long-enough';
    const guarded = await startService({ BENCH_TOKEN: token });
    try {
      for (const authorization of ['', 'Bearer wrong', `Basic ${token}`]) {
        const headers = authorization === '' ? {} : { authorization };
        const { status, headers: told } = await rawRequest(guarded.url, {
          path: '/bench/fib?tasks=1',
          headers,
        });
        expect([status, told.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
      const welcome = { authorization: `Bearer ${token}` };
      expect((await guarded.get('/bench/fib?tasks=1&n=1', welcome)).status).toBe(200);
      expect((await guarded.get('/healthz')).status).toBe(200);
      expect(guarded.log.join('\n')).not.toContain(token);
    } finally {
      await guarded.stop();
    }
  });
});

describe('a configuration that is wrong', () => {
  it('stops the start with every problem, each with variable, value and expectation', async () => {
    const act = startService({ MAX_TASKS: 'many', TARGET: 'moon', HOST: '0.0.0.0' });
    await expect(act).rejects.toThrow(/MAX_TASKS: "many".*\n.*|TARGET: "moon"/);
    await expect(startService({ MAX_TASKS: 'many', HOST: '0.0.0.0' })).rejects.toThrow(/MAX_TASKS[^]*HOST/);
  });
});
