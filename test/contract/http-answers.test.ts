import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { failedRunSchema, readinessSchema, runSchema } from '../../src/http/schemas.ts';
import { okTask, recordOf } from '../support/fixtures.ts';
import { rawRequest } from '../support/service.ts';
import { depsOf, serveFake, type FakeService } from './http-app.ts';

let service: FakeService;
afterEach(() => service.close());

describe('a run', () => {
  it('is answered from the plan that was asked for, with a link to its trace', async () => {
    service = await serveFake();
    const { status, text } = await get('/bench/fib?strategy=threads&tasks=3&n=10');
    expect(status).toBe(200);
    expect(runSchema.parse(JSON.parse(text))).toMatchObject({
      run: { strategy: 'threads', tasks: 3, params: { n: 10 } },
      outcome: 'ok',
      trace: { url: 'http://traces.example/0af7651916cd43dd8448eb211c80319c' },
    });
    expect(service.plans).toMatchObject([{ workload: 'fib', strategy: 'threads', tasks: 3 }]);
  });

  it.each(['tasks_failed', 'runner_crashed', 'upstream_unavailable', 'run_timeout'] as const)(
    'that ends with %s is a problem with all of a run beside it',
    async (outcome) => {
      const error = { code: 'run_timeout', message: 'too slow', upstreamCode: null } as const;
      const { state: _, output: __, ...facts } = okTask(1);
      const tasks = [okTask(0), { ...facts, state: 'failed', endedAtNs: null, error } as const];
      service = await serveFake({}, async () => recordOf({ outcome, tasks, failure: 'why it failed' }));
      const { status, headers, text } = await get('/bench/fib');
      expect(status).toBe(errorTable[outcome].status);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(headers.get('server-timing')).toContain('run;dur=');
      expect(failedRunSchema.parse(JSON.parse(text))).toMatchObject({
        code: outcome,
        status,
        outcome,
        detail: 'why it failed',
        tasks: [
          { state: 'ok', endMs: 5 },
          { state: 'failed', endMs: null, error },
        ],
      });
    },
  );

  it('is given up when its client goes away', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    service = await serveFake({}, (_, signal) => {
      started.resolve(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    });
    const client = request(`${service.url}/bench/fib`, { agent: false }).on('error', () => {});
    client.end();
    const signal = await started.promise;
    expect(signal.aborted).toBe(false);
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
    expect(service.faults).toEqual([]);
  });

  it('that was answered is not given up afterwards', async () => {
    let seen: AbortSignal | undefined;
    service = await serveFake({}, async (plan, signal) => {
      seen = signal;
      return recordOf({ plan });
    });
    await get('/bench/fib');
    await get('/healthz');
    expect(seen?.aborted).toBe(false);
  });
});

describe('the spans of a run', () => {
  it('are answered piece by piece', async () => {
    const path = await serveSpans(async function* () {
      for (const piece of ['{', '"resourceSpans":', '[]}']) yield piece;
    });
    const { status, headers, text } = await get(path);
    expect([status, headers.get('content-type'), text]).toEqual([
      200,
      'application/json; charset=utf-8',
      '{"resourceSpans":[]}',
    ]);
    expect(headers.get('server-timing')).toMatch(/^total;dur=/u);
  });

  it('are made no further when the client goes away', async () => {
    const ended = Promise.withResolvers<void>();
    const path = await serveSpans(async function* () {
      try {
        for (;;) yield ' '.repeat(100_000);
      } finally {
        ended.resolve();
      }
    });
    const client = request(service.url + path, { agent: false }, (answer) => {
      answer.once('data', () => client.destroy());
      answer.on('error', () => {});
    });
    client.on('error', () => {}).end();
    await ended.promise;
    expect((await get('/healthz')).status).toBe(200);
    expect(service.faults).toEqual([]);
  });

  it('that cannot be made are a problem', async () => {
    const fault = new RangeError('no such id');
    const path = await serveSpans(() => failing([], fault));
    expect(await get(path)).toMatchObject({ status: 500 });
    expect(service.faults).toEqual([fault]);
  });

  it('that cannot be made any further end the connection, so that nobody takes them for all', async () => {
    const fault = new RangeError('no such id');
    const path = await serveSpans(() => failing(['{"resourceSpans":'], fault));
    await expect(get(path)).rejects.toThrow(/socket hang up|aborted/u);
    expect(service.faults).toEqual([fault]);
  });
});

describe('readiness', () => {
  it('is 503 with what is missing when a check fails', async () => {
    const checks = [{ name: 'target', ok: false, problem: 'connection refused' }];
    const { bench } = depsOf();
    service = await serveFake({ bench: { ...bench, readiness: async () => checks } });
    const { status, text } = await get('/readyz');
    expect(status).toBe(503);
    expect(readinessSchema.parse(JSON.parse(text))).toEqual({ ready: false, checks });
  });
});

function get(path: string) {
  return rawRequest(service.url, { path });
}

/** A service whose runs have these spans, and the path of one. */
async function serveSpans(traceJson: () => AsyncIterable<string>): Promise<string> {
  service = await serveFake({ bench: { ...depsOf().bench, traceJson } });
  const record = recordOf({});
  await service.archive.add(record);
  return `/runs/${record.id}/trace.json`;
}

async function* failing(pieces: readonly string[], fault: Error): AsyncGenerator<string> {
  yield* pieces;
  throw fault;
}
