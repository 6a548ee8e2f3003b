import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import type { Jaeger, JaegerSpan } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { cells, s3Cells, type Cell } from './matrix.ts';
import { endUs, pictureOf, type Picture, type RunBody } from './picture.ts';

/** What a newcomer sees: the service with its emulator, and a real Jaeger, for the whole matrix. */
const tasks = 4;
/** Jaeger cuts starts and lengths down to whole microseconds, so an end may seem one earlier than it was. */
const roundingUs = 1;

let jaeger: Jaeger;
let service: RunningService;

interface Drawn {
  readonly body: RunBody;
  readonly picture: Picture;
}

const drawn = new Map<string, Promise<Drawn>>();

/** One run of a cell, and what Jaeger makes of it; the same one however often it is asked for. */
function draw({ title, path }: Cell): Promise<Drawn> {
  const made = drawn.get(title) ?? drawNow(`${path}&tasks=${tasks}`);
  drawn.set(title, made);
  return made;
}

async function drawNow(path: string): Promise<Drawn> {
  const body = await service.run(path);
  return { body, picture: await pictureOf(jaeger, body) };
}

beforeAll(async () => {
  const traced = await startServiceWithJaeger({
    // Long enough that requests sent at once overlap on a busy machine too.
    EMULATOR_LATENCY_MS: '150',
  });
  ({ service, jaeger } = traced);
  return traced.stop;
});

describe.each(cells)('the trace of $title', (cell) => {
  const { title, workload, strategy } = cell;
  let body: RunBody;
  let picture: Picture;

  beforeAll(async () => {
    ({ body, picture } = await draw(cell));
  });

  it('is a server span, a run span, one span a task, and sign where it signed', () => {
    const signs = strategy.access === 'presigned';
    expect(picture.spans.map(({ name }) => name).toSorted()).toEqual(
      [
        'GET /bench/:workload',
        `run ${title}`,
        ...(signs ? ['sign'] : []),
        ...Array.from({ length: tasks }, (_, index) => `task ${workload.name} ${index}`),
      ].toSorted(),
    );
    expect(new Set(picture.spans.map((span) => span.service))).toEqual(new Set(['fanout-bench']));
  });

  it('hangs together: run under server, sign and tasks under run', () => {
    const { server, run, sign } = picture;
    expect([server.tags['span.kind'], run.tags['span.kind']]).toEqual(['server', 'internal']);
    expect([server.parentSpanId, run.parentSpanId]).toEqual([null, server.spanId]);
    expect(run.spanId).toBe(body.trace.spanId);
    for (const span of [...picture.tasks, ...(sign === null ? [] : [sign])]) {
      expect([span.parentSpanId, span.tags['span.kind']]).toEqual([run.spanId, 'internal']);
    }
  });

  it('nests in time: run inside server, sign and tasks inside run, no task before sign ends', () => {
    const { server, run, sign } = picture;
    expectInside(run, server);
    for (const task of picture.tasks) expectInside(task, run);
    if (sign === null) return;
    expect(sign.startUs).toBe(run.startUs);
    expectInside(sign, run);
    for (const task of picture.tasks) expect(task.startUs).toBeGreaterThanOrEqual(endUs(sign));
  });

  it('draws every bar as long and as late as the answer says', () => {
    expectMicroseconds(picture.run.durationUs, body.durationMs);
    for (const [index, span] of picture.tasks.entries()) {
      const { startMs, endMs } = taskOf(body, index);
      expectMicroseconds(span.startUs - picture.run.startUs, startMs);
      expectMicroseconds(span.durationUs, Number(endMs) - Number(startMs));
    }
  });

  it('tells what ran', () => {
    const { run } = picture;
    expect(run.tags).toMatchObject({
      'bench.run.id': body.run.id,
      'bench.workload': workload.name,
      'bench.strategy': strategy.name,
      'bench.tasks': tasks,
      'bench.concurrency': body.run.concurrency,
      'bench.pool': 'cold',
      'bench.join': 'all',
      'bench.runtime': 'node26',
      'bench.target': 'emulator',
      'bench.outcome': 'ok',
    });
    expect(run.tags['bench.access'] ?? null).toBe(strategy.access);
    expect(run.tags['bench.client'] ?? null).toBe(body.run.client);
    const sendsItself = strategy.access !== 'sdk' && workload.clients.length > 0;
    expect(body.run.client).toBe(sendsItself ? 'got' : null);
    expect(run.tags).not.toHaveProperty('error');
  });

  it('tells of each task where it ran and what it waited for', () => {
    for (const [index, { tags, logs }] of picture.tasks.entries()) {
      const task = taskOf(body, index);
      expect(tags).toMatchObject({ 'bench.task.index': index, 'bench.task.state': 'ok' });
      expect(tags['process.pid']).toBe(task.pid);
      expect(tags['thread.id'] ?? null).toBe(task.threadId);
      expectMs(tags['bench.task.queue_ms'], task.queueMs);
      expectMs(tags['bench.task.prepare_ms'], task.prepareMs);
      expectMs(tags['bench.task.hand_back_ms'], task.handBackMs);
      expect(tags).not.toHaveProperty('error');
      expect(tags).not.toHaveProperty('error.type');
      expect(tags).not.toHaveProperty('bench.task.started');
      expect(logs).toEqual([]);
    }
  });

  it('tells of each task the phases of its exchange, as far as they were seen', () => {
    for (const [index, { tags }] of picture.tasks.entries()) {
      const { phases } = taskOf(body, index);
      expectMs(tags['bench.phase.dns_ms'], phases.dnsMs);
      expectMs(tags['bench.phase.connect_ms'], phases.connectMs);
      expectMs(tags['bench.phase.tls_ms'], phases.tlsMs);
      expectMs(tags['bench.phase.ttfb_ms'], phases.ttfbMs);
      expectMs(tags['bench.phase.download_ms'], phases.downloadMs);
      expect(tags['bench.phase.ttfb_ms'] !== undefined).toBe(workload.work === 'io');
    }
  });
});

it.each(s3Cells)(
  'the tasks of $title tell the request, with nothing in its URL that would open anything',
  async (cell) => {
    const { picture } = await draw(cell);
    for (const [index, { tags }] of picture.tasks.entries()) {
      expect(tags).toMatchObject({
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'rpc.system.name': 'aws-api',
        'rpc.method': 'S3/GetObject',
        'aws.s3.bucket': 'fanout-bench',
        'aws.s3.key': `photos/${index}.jpg`,
      });
      const url = new URL(String(tags['url.full']));
      expect(url.pathname).toBe(`/fanout-bench/photos/${index}.jpg`);
      expect(tags['server.port']).toBe(Number(url.port));
      const redacted = ['X-Amz-Credential', 'X-Amz-Signature'].map((name) => url.searchParams.get(name));
      const presigned = cell.strategy.access === 'presigned';
      expect(redacted).toEqual(presigned ? ['REDACTED', 'REDACTED'] : [null, null]);
    }
  },
);

describe('the shape of the picture', () => {
  it.each(cells.filter(({ strategy }) => strategy.declaration.tasksAtOnce === 'one'))(
    '$title is a staircase: no task starts before the one before it has ended',
    async (cell) => {
      const { picture } = await draw(cell);
      expectStaircase(picture);
    },
  );

  it.each(['/bench/s3?strategy=presigned-async', '/bench/sleep?strategy=async&ms=300'])(
    '%s is a stack: at one instant all tasks run',
    async (path) => {
      const { picture } = await drawNow(`${path}&tasks=${tasks}`);
      const lastStartUs = Math.max(...picture.tasks.map(({ startUs }) => startUs));
      expect(lastStartUs).toBeLessThan(Math.min(...picture.tasks.map(endUs)));
    },
  );

  it('CPU work on one event loop is a staircase, however it is asked for', async () => {
    const { picture } = await drawNow(`/bench/fib?strategy=async&n=25&tasks=${tasks}`);
    expectStaircase(picture);
  });

  it('a lower concurrency shows as bars of which no more than that overlap', async () => {
    const { picture } = await drawNow('/bench/s3?strategy=presigned-async&tasks=6&concurrency=2');
    for (const { startUs } of picture.tasks) {
      const running = picture.tasks.filter((other) => other.startUs <= startUs && startUs < endUs(other));
      expect(running.length).toBeLessThanOrEqual(2);
    }
    expect(picture.run.tags).toMatchObject({ 'bench.tasks': 6, 'bench.concurrency': 2 });
  });
});

describe('all that Jaeger keeps of these runs', () => {
  it('is reached by the link of the answer', async () => {
    const { trace } = await service.run('/bench/fib?n=5&tasks=1');
    expect(trace.url).toBe(`${jaeger.queryUrl}/trace/${trace.traceId}`);
    expect((await fetch(trace.url)).status).toBe(200);
  });

  it('is theirs alone: no other service, no request but runs, no span that came later', async () => {
    for (const path of ['/healthz', '/readyz', '/runs', '/workloads']) await service.get(path);
    const after = await service.run('/bench/fib?n=5&tasks=1');
    await pictureOf(jaeger, after);
    expect(await listOf('/api/services')).toEqual(['fanout-bench']);
    const operations = await listOf('/api/services/fanout-bench/operations');
    expect(operations).not.toContain('GET /healthz');
    expect(operations).not.toContain('GET /readyz');
    for (const cell of cells) {
      const { body, picture } = await draw(cell);
      const { length } = picture.spans;
      expect(await jaeger.trace(body.trace.traceId, { atLeast: length })).toHaveLength(length);
    }
  });

  it.each(cells)('holds no signature and no credential of $title', async (cell) => {
    const { body } = await draw(cell);
    const raw = await (await fetch(`${jaeger.queryUrl}/api/traces/${body.trace.traceId}`)).text();
    expect(raw).toContain(`run ${cell.title}`);
    expect(raw).not.toContain(emulatorCredentials.accessKeyId);
    expect(raw).not.toContain(emulatorCredentials.secretAccessKey);
    expect(raw).not.toMatch(/X-Amz-(Signature|Credential|Security-Token)=(?!REDACTED)/iu);
    // What a signature looks like, wherever it may stand.
    expect(raw).not.toMatch(/[0-9a-f]{64}/iu);
  });
});

const Names = z.object({ data: z.array(z.string()) });

async function listOf(path: string): Promise<readonly string[]> {
  const response = await fetch(jaeger.queryUrl + path);
  return Names.parse(await response.json()).data;
}

function taskOf(body: RunBody, index: number): RunBody['tasks'][number] {
  const task = body.tasks[index];
  if (task === undefined) throw new Error(`the answer has no task ${index}`);
  return task;
}

function expectInside(inner: JaegerSpan, outer: JaegerSpan): void {
  expect(inner.startUs).toBeGreaterThanOrEqual(outer.startUs);
  expect(endUs(inner)).toBeLessThanOrEqual(endUs(outer) + roundingUs);
}

function expectStaircase({ run, tasks: steps }: Picture): void {
  const endsBefore = [run.startUs, ...steps.map(endUs)];
  for (const [index, { startUs }] of steps.entries()) {
    expect(startUs).toBeGreaterThanOrEqual(Number(endsBefore[index]));
  }
}

/** Both are rounded, each in its own way. */
function expectMicroseconds(us: number, ms: number | null): void {
  expect(Math.abs(us - Number(ms) * 1000)).toBeLessThanOrEqual(roundingUs + 0.01);
}

/** The answer has three decimals; what was not observed is in neither. */
function expectMs(tag: unknown, ms: number | null): void {
  expect(tag === undefined ? null : Math.round(Number(tag) * 1000) / 1000).toBe(ms);
}
