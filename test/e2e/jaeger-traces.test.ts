import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJaeger, type Jaeger, type JaegerSpan } from '../support/real-servers.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';
import { s3Cells } from './matrix.ts';
import { pictureOf, type RunBody } from './picture.ts';

/** Traces that reach beyond the service: to its caller, to the emulator, and to another Jaeger by a file. */
let jaeger: Jaeger;
beforeAll(async () => {
  jaeger = await startJaeger();
});
afterAll(() => jaeger.stop());

describe('a request that belongs to a trace', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService(tracingTo(jaeger.otlpUrl));
  });
  afterAll(() => service.stop());

  it('is continued: the server span is a child of the span it came from', async () => {
    const caller = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
    await upload(jaeger, JSON.stringify(callerSpan(caller)));
    const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
    const answer = await service.get('/bench/s3?strategy=presigned-async&tasks=2', { traceparent });
    const body: RunBody = JSON.parse(answer.text);
    expect(body.trace).toMatchObject({ traceId: caller.traceId, sampled: true });
    const { server, spans } = await pictureOf(jaeger, body, 1);
    expect(server).toMatchObject({ traceId: caller.traceId, parentSpanId: caller.spanId });
    expect(spans).toHaveLength(6);
    expect(answer.headers.get('traceresponse')).toBe(`00-${caller.traceId}-${server.spanId}-01`);
  });

  it('and is not sampled leaves nothing, and says so', async () => {
    const traceId = randomBytes(16).toString('hex');
    const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-00`;
    const answer = await service.get('/bench/s3?strategy=presigned-async&tasks=2', { traceparent });
    expect(JSON.parse(answer.text).trace).toMatchObject({ traceId, sampled: false });
    // What was sent before has arrived when what is sent after has.
    await pictureOf(jaeger, await service.run('/bench/fib?n=3&tasks=1'));
    expect((await fetch(`${jaeger.queryUrl}/api/traces/${traceId}`)).status).toBe(404);
  });
});

describe('an emulator that traces', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({
      ...tracingTo(jaeger.otlpUrl),
      EMULATOR_TRACING: 'true',
      EMULATOR_LATENCY_MS: '5',
    });
  });
  afterAll(() => service.stop());

  it.each(s3Cells)(
    '$title: has one server span a request, under the very task that sent it',
    async ({ path }) => {
      const body = await service.run(`${path}&tasks=4`);
      const { tasks, spans } = await pictureOf(jaeger, body, 4);
      const served = spans.filter(({ service: name }) => name === 'fanout-emulator');
      expect(spans.length - served.length).toBe(2 + tasks.length + (body.signing === null ? 0 : 1));
      for (const task of tasks) {
        const own = served.filter(({ parentSpanId }) => parentSpanId === task.spanId);
        expect(own.map(({ name, tags }) => [name, tags['span.kind'], tags['aws.s3.key']])).toEqual([
          ['GetObject', 'server', task.tags['aws.s3.key']],
        ]);
      }
      expect(served).toHaveLength(4);
    },
  );
});

describe('the file of a run', () => {
  let lonely: RunningService;
  let connected: RunningService;
  let elsewhere: Jaeger;
  beforeAll(async () => {
    elsewhere = await startJaeger();
    connected = await startService(tracingTo(jaeger.otlpUrl));
    // Nothing listens there.
    lonely = await startService(tracingTo('http://127.0.0.1:9'));
  });
  afterAll(async () => {
    await lonely.stop();
    await connected.stop();
    await elsewhere.stop();
  });

  it.each([
    ['/bench/s3?strategy=presigned-threads&tasks=4', 200],
    ['/bench/fib?strategy=single&n=50&tasks=3&timeoutMs=1500', 504],
  ])(
    'gives another Jaeger the same picture, span for span, that was sent to the first: %s',
    async (path, status) => {
      const answer = await connected.get(path);
      expect(answer.status).toBe(status);
      const body: RunBody = JSON.parse(answer.text);
      const { spans } = await pictureOf(jaeger, body);
      await upload(elsewhere, (await connected.get(`/runs/${body.run.id}/trace.json`)).text);
      const copied = await elsewhere.trace(body.trace.traceId, { atLeast: spans.length });
      expect(bySpanId(copied)).toEqual(bySpanId(spans));
    },
  );

  it('brings a run to Jaeger that was made while no collector was there', async () => {
    const body = await lonely.run('/bench/s3?strategy=sdk-single&tasks=4');
    const file = await lonely.get(`/runs/${body.run.id}/trace.json`);
    expect(file.headers.get('content-disposition')).toContain(`${body.run.id}.trace.json`);
    await upload(elsewhere, file.text);
    const { run, tasks } = await pictureOf(elsewhere, body);
    expect(run.spanId).toBe(body.trace.spanId);
    expect(tasks.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(4).fill(run.spanId));
  });
});

async function upload({ otlpUrl }: Jaeger, json: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body: json });
  if (!response.ok) throw new Error(`Jaeger refuses it with ${response.status}: ${await response.text()}`);
}

function bySpanId(spans: readonly JaegerSpan[]): readonly JaegerSpan[] {
  return spans.toSorted((a, b) => a.spanId.localeCompare(b.spanId));
}

function callerSpan(ids: { readonly traceId: string; readonly spanId: string }): object {
  const startMs = Date.now();
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'caller' } }] },
        scopeSpans: [
          {
            spans: [
              {
                ...ids,
                name: 'asks for a run',
                kind: 3,
                startTimeUnixNano: `${startMs}000000`,
                endTimeUnixNano: `${startMs + 1}000000`,
              },
            ],
          },
        ],
      },
    ],
  };
}
