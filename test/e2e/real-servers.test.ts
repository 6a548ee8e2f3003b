import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { startJaeger, startVersitygw, type Jaeger, type Versitygw } from '../support/real-servers.ts';

describe('Jaeger', () => {
  let jaeger: Jaeger;

  beforeAll(async () => {
    jaeger = await startJaeger();
  });

  afterAll(() => jaeger.stop());

  it('takes a trace as OTLP JSON and gives its spans back, with parents, times, attributes and events', async () => {
    const traceId = randomBytes(16).toString('hex');
    const [run, task] = ['00f067aa0ba902b7', '00f067aa0ba902b8'];
    const response = await fetch(`${jaeger.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(
        otlpTrace('real-servers-test', [
          {
            traceId,
            spanId: run,
            name: 'run fib async',
            kind: 1,
            startTimeUnixNano: '1700000000000000000',
            endTimeUnixNano: '1700000000500000000',
            attributes: [{ key: 'bench.tasks', value: { intValue: '10' } }],
          },
          {
            traceId,
            spanId: task,
            parentSpanId: run,
            links: [],
            name: 'task fib 0',
            kind: 1,
            startTimeUnixNano: '1700000000100000000',
            endTimeUnixNano: '1700000000400000000',
            status: { code: 2, message: 'it broke' },
            events: [{ name: 'exception', timeUnixNano: '1700000000400000000' }],
          },
        ]),
      ),
    });
    expect(response.status).toBe(200);

    const spans = await jaeger.trace(traceId, { atLeast: 2 });
    expect(spans).toHaveLength(2);
    expect(spans).toContainEqual({
      traceId,
      spanId: run,
      parentSpanId: null,
      links: [],
      name: 'run fib async',
      service: 'real-servers-test',
      startUs: 1_700_000_000_000_000,
      durationUs: 500_000,
      tags: { 'bench.tasks': 10, 'span.kind': 'internal' },
      logs: [],
    });
    expect(spans).toContainEqual(
      expect.objectContaining({
        spanId: task,
        parentSpanId: run,
        startUs: 1_700_000_000_100_000,
        durationUs: 300_000,
        tags: expect.objectContaining({ 'otel.status_code': 'ERROR', 'otel.status_description': 'it broke' }),
        logs: [{ event: 'exception' }],
      }),
    );
  });

  it('keeps no spans of its own queries, which would stand between the runs', async () => {
    const response = await fetch(`${jaeger.queryUrl}/api/services`);
    expect(await response.json()).toMatchObject({ data: ['real-servers-test'] });
  });
});

describe('versitygw', () => {
  const object = { Bucket: 'pictures', Key: 'with space/ünï.jpg' };
  const body = randomBytes(300_000);
  let versitygw: Versitygw;
  let client: S3Client;

  beforeAll(async () => {
    versitygw = await startVersitygw();
    client = openClient(versitygw);
    await client.send(new CreateBucketCommand({ Bucket: object.Bucket }));
    await client.send(new PutObjectCommand({ ...object, Body: body }));
  });

  afterAll(async () => {
    client.destroy();
    await versitygw.stop();
  });

  it('gives an object back as it was put', async () => {
    const answer = await client.send(new GetObjectCommand(object));
    expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
  });

  it('accepts a presigned URL with a traceparent that is not part of its signature', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand(object));
    const response = await fetch(url, {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it('refuses a presigned URL whose signature was changed', async () => {
    const url = new URL(await getSignedUrl(client, new GetObjectCommand(object)));
    const signature = url.searchParams.get('X-Amz-Signature') ?? '';
    url.searchParams.set(
      'X-Amz-Signature',
      signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    );
    const response = await fetch(url);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});

describe('A real server', () => {
  it('is a child of the tests while they need it, and gone when it is stopped', async () => {
    const versitygw = await startVersitygw();
    const own = descendantsOf(process.pid).filter(({ pid }) => pid === versitygw.pid);
    expect(own).toHaveLength(1);
    const [folder = ''] = /\S+fanout-bench-versitygw-\w+/.exec(own[0]?.title ?? '') ?? [];
    expect(existsSync(folder.replace('--sidecar=', ''))).toBe(true);
    await versitygw.stop();
    expect(await leftOverOf(own)).toEqual([]);
    expect(existsSync(folder.replace('--sidecar=', ''))).toBe(false);
  });
});

function openClient({ endpoint, region, accessKey, secretKey }: Versitygw): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

function otlpTrace(service: string, spans: readonly object[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [{ spans }],
      },
    ],
  };
}
