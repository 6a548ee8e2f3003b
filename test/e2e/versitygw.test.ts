import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { startVersitygw, type Versitygw } from '../support/real-servers.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';
import { s3Cells } from './matrix.ts';
import type { RunBody } from './picture.ts';

/** `TARGET=aws` against an S3 server that is not ours. */
const bucket = 'pictures';
/** Each of another length, so that a task that got another task's object is found out. */
const photos = Array.from({ length: 10 }, (_, index) => object(`photos/${index}.jpg`, 300_000 + index));
/** Keys that are spoilt by encoding once too often, or not at all. */
const oddities = [
  'with space.jpg',
  'a+b.jpg',
  '100%.jpg',
  '50%25.jpg',
  '%2F.jpg',
  'ünï/日本 語.jpg',
  'ui\u0308.jpg',
  '😀.jpg',
  'what?.jpg',
  'x?versionId=1&X-Amz-Expires=9.jpg',
  'hash#tag.jpg',
  'a&b=c;d:e@f.jpg',
  "it's (1)!*$~.jpg",
  '[brackets]{braces}|^`"<>.jpg',
  'back\\slash.jpg',
].map((key, index) => object(key, 1_000 + index));

const strategies = s3Cells.map(({ strategy }) => strategy.name);
const onePerAccess = ['sdk-async', 'presigned-async', 'presigned-isolate-threads'];

let versitygw: Versitygw;
let receiver: OtlpReceiver;
beforeAll(async () => {
  [versitygw, receiver] = await Promise.all([startVersitygw(), OtlpReceiver.listen()]);
  const { endpoint, region, accessKey, secretKey } = versitygw;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const { key, body } of [...photos, ...oddities]) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  }
  client.destroy();
});
afterAll(async () => {
  await versitygw.stop();
  await receiver.close();
});

/** A service for the tests of the enclosing block, with an account of the server and what is given beside. */
function serviceWith(settings: () => Readonly<Record<string, string>>): {
  readonly current: () => RunningService;
} {
  let service: RunningService | null = null;
  beforeAll(async () => {
    service = await startService({
      TARGET: 'aws',
      AWS_ENDPOINT_URL_S3: versitygw.endpoint,
      AWS_REGION: versitygw.region,
      AWS_ACCESS_KEY_ID: versitygw.accessKey,
      AWS_SECRET_ACCESS_KEY: versitygw.secretKey,
      S3_BUCKET: bucket,
      ...tracingTo(receiver.url),
      ...settings(),
    });
  });
  afterAll(async () => {
    await service?.stop();
  });
  return {
    current() {
      if (service === null) throw new Error('the service was not started');
      return service;
    },
  };
}

describe('objects under a prefix', () => {
  const { current } = serviceWith(() => ({ S3_PREFIX: 'photos/' }));

  it.each(strategies)('%s reads each of them, whole and right', async (strategy) => {
    const body = await current().run(`/bench/s3?strategy=${strategy}`);
    expect(body.run).toMatchObject({ target: 'aws', tasks: 10 });
    expect(body.tasks.map(({ bytes }) => bytes)).toEqual(photos.map((photo) => photo.body.byteLength));
    expect(body.tasks.map(({ attempts }) => attempts)).toEqual(Array(10).fill(1));
    expect(warningsOf(body)).toEqual([]);
  });

  it.each(onePerAccess)('%s reads them again when there are more tasks, and says so', async (strategy) => {
    const body = await current().run(`/bench/s3?strategy=${strategy}&tasks=12`);
    expect(body.tasks.map(({ bytes }) => Number(bytes) - 300_000)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1,
    ]);
    expect(warningsOf(body)).toEqual(['keys_reused']);
  });

  it('is ready, and the spans name the bucket, the keys and the region’s endpoint', async () => {
    expect((await current().get('/readyz')).status).toBe(200);
    const { trace } = await current().run('/bench/s3?strategy=presigned-async&tasks=3');
    await receiver.received(6, trace.traceId);
    const { hostname, port } = new URL(versitygw.endpoint);
    for (const [index, { attributes }] of receiver.taskSpans(trace.traceId).entries()) {
      expect(attributes).toMatchObject({
        'aws.s3.bucket': bucket,
        'aws.s3.key': `photos/${index}.jpg`,
        'server.address': hostname,
        'server.port': Number(port),
        'http.response.status_code': 200,
      });
    }
  });

  it('no answer, span or line of the log holds the account or a signature', async () => {
    await receiver.received(1);
    const spans = JSON.stringify(receiver.spans, (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const told = `${spans}\n${current().log.join('\n')}\n${(await current().get('/runs')).text}`;
    expect(told).toContain('X-Amz-Signature=REDACTED');
    expect(told).not.toContain(versitygw.accessKey);
    expect(told).not.toContain(versitygw.secretKey);
    expect(told).not.toMatch(/X-Amz-(Signature|Credential|Security-Token)=(?!REDACTED)/iu);
    expect(told).not.toMatch(/[0-9a-f]{64}/iu);
  });
});

describe('every option', () => {
  const { current } = serviceWith(() => ({ S3_PREFIX: 'photos/' }));
  const withGap = serviceWith(() => ({ S3_KEYS: 'photos/none.jpg,photos/1.jpg,photos/2.jpg' }));
  it.each(strategies.filter((strategy) => strategy.startsWith('presigned-')))(
    'client=undici: %s reads each object, whole and right',
    async (strategy) => {
      const body = await current().run(`/bench/s3?strategy=${strategy}&client=undici&tasks=5`);
      expect(body.run.client).toBe('undici');
      expectRight(body);
    },
  );

  it.each(strategies)('pool=warm: %s uses again what the run before it left', async (strategy) => {
    const path = `/bench/s3?strategy=${strategy}&pool=warm&tasks=3`;
    const [first, second] = [await current().run(path), await current().run(path)];
    expectRight(first);
    expectRight(second);
    expect(first.tasks.map(({ reused }) => reused)).toEqual([false, false, false]);
    expect(second.tasks.map(({ reused }) => reused)).toEqual([true, true, true]);
  });

  it.each(strategies)('join=race: %s ends with its first object, whole and right', async (strategy) => {
    const { tasks } = await current().run(`/bench/s3?strategy=${strategy}&join=race&tasks=4`);
    const ok = tasks.filter(({ state }) => state === 'ok');
    expect(ok.length).toBeGreaterThan(0);
    for (const { index, bytes } of ok) expect(bytes).toBe(photos[index]?.body.byteLength);
    expect(tasks.filter(({ state }) => state === 'failed')).toEqual([]);
  });

  it.each(strategies)('join=first-valid: %s passes over the object that is not there', async (strategy) => {
    const { tasks } = await withGap.current().run(`/bench/s3?strategy=${strategy}&join=first-valid&tasks=3`);
    const [missing, ...others] = tasks;
    // Whichever was first; the one that is not there may have been cancelled before its answer came.
    expect(['failed', 'cancelled']).toContain(missing?.state);
    const ok = others.filter(({ state }) => state === 'ok');
    expect(ok.length).toBeGreaterThan(0);
    for (const { index, bytes } of ok) expect(bytes).toBe(photos[index]?.body.byteLength);
  });

  it.each(strategies.filter((strategy) => !/single$|isolate$/u.test(strategy)))(
    'join=hedged: %s asks once where the first answer is soon enough',
    async (strategy) => {
      const body = await current().run(
        `/bench/s3?strategy=${strategy}&join=hedged&hedgeAfterMs=20000&tasks=4`,
      );
      expect(body.callsSpent).toBe(1);
      expectRight(body);
    },
  );

  it.each(strategies)('attempts=3: %s needs one', async (strategy) => {
    const body = await current().run(`/bench/s3?strategy=${strategy}&attempts=3&tasks=3`);
    expectRight(body);
    expect(body.tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  it.each(strategies)(
    'detail=phases: of %s one exchange a task is seen, with its parts',
    async (strategy) => {
      const { trace } = await current().run(`/bench/s3?strategy=${strategy}&detail=phases&tasks=3`);
      await expect
        .poll(
          () => receiver.spans.filter((span) => span.traceId === trace.traceId && span.name === 'GET').length,
        )
        .toBe(3);
      const all = receiver.spans.filter(({ traceId }) => traceId === trace.traceId);
      const tasks = receiver.taskSpans(trace.traceId).map(({ spanId }) => spanId);
      for (const exchange of all.filter(({ name }) => name === 'GET')) {
        expect(tasks).toContain(exchange.parentSpanId);
        const parts = all
          .filter(({ parentSpanId }) => parentSpanId === exchange.spanId)
          .map(({ name }) => name);
        expect(parts).toEqual(expect.arrayContaining(['ttfb', 'download']));
      }
    },
  );

  it('a comparison of both accesses finds every body right', async () => {
    const { text, status } = await current().get(
      '/compare/s3?strategies=sdk-async,presigned-async&baseline=sdk-async&rounds=3&warmup=0&tasks=3',
    );
    expect(status).toBe(200);
    const { cells, machine } = comparisonSchema.parse(JSON.parse(text));
    expect(machine).toMatchObject({ target: 'aws', emulator: null });
    expect(cells[0]?.results.map(({ samplesMs }) => samplesMs.length)).toEqual([3, 3]);
  });
});

describe('keys with odd names', () => {
  const { current } = serviceWith(() => ({ S3_KEYS: oddities.map(({ key }) => key).join(',') }));

  it.each(strategies)('%s reads the right object for each', async (strategy) => {
    const body = await current().run(`/bench/s3?strategy=${strategy}&tasks=${oddities.length}`);
    const got = body.tasks.map(({ index, bytes }) => [oddities[index]?.key, bytes]);
    expect(got).toEqual(oddities.map((odd) => [odd.key, odd.body.byteLength]));
    expect(warningsOf(body)).toEqual([]);
  });

  it('stand in the spans as they are', async () => {
    const { text } = await current().get(`/bench/s3?strategy=presigned-async&tasks=${oddities.length}`);
    const { trace } = JSON.parse(text);
    await receiver.received(3 + oddities.length, trace.traceId);
    const keys = receiver.taskSpans(trace.traceId).map(({ attributes }) => attributes['aws.s3.key']);
    expect(keys).toEqual(oddities.map(({ key }) => key));
  });
});

describe('a whole bucket, listed', () => {
  const { current } = serviceWith(() => ({}));

  it.each(onePerAccess)('%s reads every object of it, odd names included', async (strategy) => {
    const all = photos.length + oddities.length;
    const body = await current().run(`/bench/s3?strategy=${strategy}&tasks=${all}`);
    const lengths = [...photos, ...oddities].map((one) => one.body.byteLength);
    expect(new Set(body.tasks.map(({ bytes }) => bytes))).toEqual(new Set(lengths));
    expect(warningsOf(body)).toEqual([]);
  });
});

describe('a key that is not there', () => {
  const { current } = serviceWith(() => ({ S3_KEYS: 'photos/0.jpg,photos/none.jpg,photos/2.jpg' }));

  it.each(strategies)('%s: fails its task with NoSuchKey; the others stand', async (strategy) => {
    const body = await current().failedRun(`/bench/s3?strategy=${strategy}&tasks=3`, 502);
    expect(body).toMatchObject({ code: 'tasks_failed', outcome: 'tasks_failed', status: 502 });
    expect(body.tasks.map(({ state, bytes }) => [state, bytes])).toEqual([
      ['ok', 300_000],
      ['failed', null],
      ['ok', 300_002],
    ]);
    expect(body.tasks[1]?.error).toMatchObject({ code: 'upstream_error', upstreamCode: 'NoSuchKey' });
    await expectFailuresToldInSpans(body.trace.traceId, [null, 'NoSuchKey', null], body.signing !== null);
  });
});

describe.each([
  ['a bucket that is not there', { S3_BUCKET: 'no-such-bucket' }, 'NoSuchBucket'],
  ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'not-the-secret' }, 'SignatureDoesNotMatch'],
  // AWS says InvalidAccessKeyId.
  ['an account that is not there', { AWS_ACCESS_KEY_ID: 'nobody' }, 'XAdminUserNotFound'],
] as const)('%s', (_, wrong, upstreamCode) => {
  const withKeys = serviceWith(() => ({ ...wrong, S3_KEYS: 'photos/0.jpg,photos/1.jpg' }));
  const withListing = serviceWith(() => ({ ...wrong, S3_PREFIX: 'photos/' }));

  it.each(onePerAccess)('%s: with keys, fails every task with the server’s own code', async (strategy) => {
    const body = await withKeys.current().failedRun(`/bench/s3?strategy=${strategy}&tasks=2`, 502);
    expect(body.outcome).toBe('tasks_failed');
    expect(body.tasks.map(({ error }) => [error?.code, error?.upstreamCode])).toEqual([
      ['upstream_error', upstreamCode],
      ['upstream_error', upstreamCode],
    ]);
    expect(body.tasks[0]?.error?.message).toContain(upstreamCode);
    await expectFailuresToldInSpans(body.trace.traceId, [upstreamCode, upstreamCode], body.signing !== null);
  });

  it.each(onePerAccess)('%s: with a listing, no task runs, and the run says why', async (strategy) => {
    const body = await withListing.current().failedRun(`/bench/s3?strategy=${strategy}&tasks=2`, 502);
    expect(body.outcome).toBe('upstream_unavailable');
    expect(body.tasks.map(({ startMs, error }) => [startMs, error?.code, error?.upstreamCode])).toEqual([
      [null, 'upstream_unavailable', upstreamCode],
      [null, 'upstream_unavailable', upstreamCode],
    ]);
    await receiver.received(4, body.trace.traceId);
    for (const { status, attributes } of receiver.taskSpans(body.trace.traceId)) {
      expect([status.code, attributes['error.type']]).toEqual(['ERROR', 'upstream_unavailable']);
    }
  });
});

describe('nothing to fetch', () => {
  const emptyPrefix = serviceWith(() => ({ S3_PREFIX: 'nothing/' }));
  const noBucket = serviceWith(() => ({ S3_BUCKET: '' }));

  it('under the prefix is no_objects, with the way out', async () => {
    const problem = await emptyPrefix.current().refused('/bench/s3', 422);
    expect(problem.code).toBe('no_objects');
    expect(problem.detail).toMatch(/nothing\/.*S3_KEYS/u);
  });

  it('without a bucket is not_configured, and other workloads run', async () => {
    const problem = await noBucket.current().refused('/bench/s3', 422);
    expect(problem.code).toBe('not_configured');
    expect(problem.detail).toContain('S3_BUCKET');
    expect((await noBucket.current().run('/bench/fib?n=5')).outcome).toBe('ok');
  });
});

describe('a server that is not there', () => {
  // A port that nothing listens on.
  const away = { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' };
  const withKeys = serviceWith(() => ({ ...away, S3_KEYS: 'photos/0.jpg' }));
  const withListing = serviceWith(() => away);

  it.each(onePerAccess)('%s: fails each task with connection_failed', async (strategy) => {
    const body = await withKeys.current().failedRun(`/bench/s3?strategy=${strategy}&tasks=2`, 502);
    expect(body.outcome).toBe('tasks_failed');
    expect(body.tasks.map(({ error }) => [error?.code, error?.upstreamCode])).toEqual([
      ['connection_failed', 'ECONNREFUSED'],
      ['connection_failed', 'ECONNREFUSED'],
    ]);
  });

  it('fails the listing, and the service is not ready but alive', async () => {
    const body = await withListing.current().failedRun('/bench/s3', 502);
    expect(body.outcome).toBe('upstream_unavailable');
    expect(body.tasks[0]?.error?.upstreamCode).toBe('ECONNREFUSED');
    expect((await withListing.current().get('/readyz')).status).toBe(503);
    expect((await withListing.current().get('/healthz')).status).toBe(200);
  });
});

function object(key: string, bytes: number): { readonly key: string; readonly body: Buffer } {
  return { key, body: randomBytes(bytes) };
}

/** But the one that a server without latency rightly provokes: reading is then all that the event loop does. */
function warningsOf({ warnings }: RunBody): readonly string[] {
  const ofTheMoment = new Set(['event_loop_saturated', 'first_run']);
  return warnings.map(({ code }) => code).filter((code) => !ofTheMoment.has(code));
}

/** Of each task `null` or the upstream's code. */
async function expectFailuresToldInSpans(
  traceId: string,
  codes: readonly (string | null)[],
  signs: boolean,
): Promise<void> {
  await receiver.received(2 + codes.length + (signs ? 1 : 0), traceId);
  const told = receiver
    .taskSpans(traceId)
    .map(({ status, attributes, events }) => [
      status.code,
      attributes['error.type'] ?? null,
      attributes['bench.task.upstream_code'] ?? null,
      events.map(({ name }) => name),
    ]);
  expect(told).toEqual(
    codes.map((code) =>
      code === null ? ['UNSET', null, null, []] : ['ERROR', 'upstream_error', code, ['exception']],
    ),
  );
}

/** Each task has its object. */
function expectRight({ tasks }: RunBody): void {
  expect(tasks.map(({ state, bytes }) => [state, bytes])).toEqual(
    photos.slice(0, tasks.length).map((photo) => ['ok', photo.body.byteLength]),
  );
}
