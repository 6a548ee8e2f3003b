import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import type { SignedParts } from '../../src/emulator/claim.ts';
import { emulatorBucket, emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { refusalOf } from '../../src/emulator/sigv4.ts';

const signedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const minuteMs = 60_000;

describe('a presigned URL', () => {
  it.each([
    ['when it was signed', 0, null],
    ['in its last second', 60_000, null],
    ['after that', 60_001, 'Request has expired'],
    ['on a clock that is 15 minutes behind', -15 * minuteMs, null],
    ['on a clock that is further behind', -16 * minuteMs, 'Request is not yet valid'],
  ])('that is good for a minute, %s', async (_when, ageMs, message) => {
    const refusal = await refusalOf(await presigned(), 's3', signedAtMs + ageMs);
    expect(refusal?.message ?? null).toBe(message);
  });

  it.each([
    ['X-Amz-Expires', 'never'],
    ['X-Amz-Expires', '604801'],
    ['X-Amz-Expires', ''],
    ['X-Amz-Date', 'today'],
    ['X-Amz-Date', '20260103T030405Z'],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA1'],
    ['X-Amz-Credential', emulatorCredentials.accessKeyId],
    ['X-Amz-Credential', `${emulatorCredentials.accessKeyId}/20260102/eu-west-1/s3/aws4_request`],
    ['X-Amz-Credential', `${emulatorCredentials.accessKeyId}/20260102/us-east-1/sts/aws4_request`],
  ])('with %s=%s can not be read', async (name, value) => {
    const request = await presigned();
    request.query.set(name, value);
    expect(await refusalOf(request, 's3', signedAtMs)).toMatchObject({
      status: 400,
      code: 'AuthorizationQueryParametersError',
    });
  });

  it('with headers beside the signed ones is as good as without', async () => {
    const request = await presigned();
    const headers = {
      ...request.headers,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    expect(await refusalOf({ ...request, headers }, 's3', signedAtMs)).toBeNull();
  });

  it.each([
    ['another host', { headers: { host: 'elsewhere' } }],
    ['another method', { method: 'HEAD' }],
    ['another path', { path: '/fanout-bench/photos/2.jpg' }],
  ])('for %s is not good', async (_what, change) => {
    expect(await refusalOf({ ...(await presigned()), ...change }, 's3', signedAtMs)).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
  });

  it.each(['', '0', 'ä', 'f'.repeat(64), 'f'.repeat(10_000)])(
    'with the signature "%.10s" is not good',
    async (text) => {
      const request = await presigned();
      request.query.set('X-Amz-Signature', text);
      expect(await refusalOf(request, 's3', signedAtMs)).toMatchObject({ code: 'SignatureDoesNotMatch' });
    },
  );
});

describe('a signature in the header', () => {
  it.each([
    ['at once', 0, null],
    ['15 minutes later', 15 * minuteMs, null],
    ['later than that', 15 * minuteMs + 1, 'RequestTimeTooSkewed'],
    ['too early', -15 * minuteMs - 1, 'RequestTimeTooSkewed'],
  ])('is good for 15 minutes: %s', async (_when, ageMs, code) => {
    const { request, atMs } = await sentBySdk();
    expect((await refusalOf(request, 's3', atMs + ageMs))?.code ?? null).toBe(code);
  });

  it.each([
    '',
    'Basic YTpi',
    'AWS4-HMAC-SHA256 Credential=',
    'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0',
  ])('is malformed when the header is "%s"', async (authorization) => {
    const { request, atMs } = await sentBySdk();
    const changed = { ...request, headers: { ...request.headers, authorization } };
    expect(await refusalOf(changed, 's3', atMs)).toMatchObject({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
    });
  });

  it('without a date is malformed', async () => {
    const { request, atMs } = await sentBySdk();
    const changed = { ...request, headers: { ...request.headers, 'x-amz-date': undefined } };
    expect(await refusalOf(changed, 's3', atMs)).toMatchObject({ code: 'AuthorizationHeaderMalformed' });
  });

  it('covers the hash of the payload', async () => {
    const { request, atMs } = await sentBySdk();
    const changed = { ...request, headers: { ...request.headers, 'x-amz-content-sha256': '0'.repeat(64) } };
    expect(await refusalOf(changed, 's3', atMs)).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });
});

function client(): S3Client {
  return new S3Client({
    endpoint: 'http://127.0.0.1:1',
    region: emulatorRegion,
    credentials: emulatorCredentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

const command = (): GetObjectCommand => new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/1.jpg' });

async function presigned(): Promise<SignedParts> {
  const options = { signingDate: new Date(signedAtMs), expiresIn: 60 };
  const url = new URL(await getSignedUrl(client(), command(), options));
  return { method: 'GET', path: url.pathname, query: url.searchParams, headers: { host: url.host } };
}

/** What the SDK would send, and when it says that it signed it. */
async function sentBySdk(): Promise<{ request: SignedParts; atMs: number }> {
  const sdk = client();
  let headers: Record<string, string> = {};
  let path = '';
  sdk.middlewareStack.add(
    () =>
      async ({ request }) => {
        if (!isSent(request)) throw new Error('this is no HTTP request');
        ({ headers, path } = request);
        return { output: { $metadata: {} }, response: {} };
      },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await sdk.send(command());
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const date = lower['x-amz-date'] ?? '';
  const atMs = Date.parse(date.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));
  return {
    request: { method: 'GET', path, query: new URLSearchParams('x-id=GetObject'), headers: lower },
    atMs,
  };
}

function isSent(request: unknown): request is { headers: Record<string, string>; path: string } {
  return typeof request === 'object' && request !== null && 'headers' in request && 'path' in request;
}
