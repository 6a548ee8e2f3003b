import { once } from 'node:events';
import type { Server } from 'node:http';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorBucket, emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { createEmulator } from '../../src/emulator/server.ts';

let server: Server;
let endpoint: string;
beforeAll(async () => {
  server = createEmulator({ latencyMs: 0, seed: 1, faults: [] }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe('the emulated S3 and the real SDK', () => {
  it('lists, pages and reads', async () => {
    const client = clientWith();
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: emulatorBucket, Prefix: 'photos/', MaxKeys: 4 }),
    );
    expect([page.KeyCount, page.IsTruncated]).toEqual([4, true]);
    const rest = await client.send(
      new ListObjectsV2Command({
        Bucket: emulatorBucket,
        Prefix: 'photos/',
        ContinuationToken: page.NextContinuationToken,
      }),
    );
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(
      [4, 5, 6, 7, 8, 9].map((index) => `photos/${index}.jpg`),
    );
    const head = await client.send(new HeadObjectCommand({ Bucket: emulatorBucket, Key: 'photos/0.jpg' }));
    const got = await client.send(new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/0.jpg' }));
    expect(head).toMatchObject({ ContentLength: 300_000, ETag: got.ETag });
    expect((await got.Body?.transformToByteArray())?.byteLength).toBe(300_000);
  });

  it.each([
    [{ Bucket: emulatorBucket, Key: 'none' }, 'NoSuchKey'],
    [{ Bucket: 'other', Key: 'photos/0.jpg' }, 'NoSuchBucket'],
  ])('%j is %s', async (input, name) => {
    await expect(clientWith().send(new GetObjectCommand(input))).rejects.toMatchObject({ name });
  });

  it.each(['a b', 'a+b', 'a%b', 'ä/ß', 'a?b#c', "it's (1)*!", 'a//b', '=&;'])(
    'the odd key %s is signed right, in the header and in the query',
    async (key) => {
      const command = { Bucket: emulatorBucket, Key: key };
      await expect(clientWith().send(new GetObjectCommand(command))).rejects.toMatchObject({
        name: 'NoSuchKey',
      });
      expect((await codeOf(await presigned(key))).code).toBe('NoSuchKey');
    },
  );

  it('tells its own time in Server-Timing', async () => {
    const { headers } = await fetch(await presigned('photos/0.jpg'));
    expect(headers.get('server-timing')).toMatch(/^total;dur=\d+\.\d+$/);
  });
});

describe('signatures at the emulated S3', () => {
  it('accepts a presigned URL, with an unsigned traceparent as well', async () => {
    const url = await presigned('photos/1.jpg');
    expect((await fetch(url)).status).toBe(200);
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it('refuses a request that is not signed', async () => {
    expect(await codeOf(`${endpoint}/${emulatorBucket}/photos/1.jpg`)).toEqual({
      status: 403,
      code: 'AccessDenied',
    });
  });

  it.each([
    ['a byte of the signature', (url: URL) => setParameter(url, 'X-Amz-Signature', flipped)],
    ['the key', (url: URL) => Object.assign(url, { pathname: url.pathname.replace('1.jpg', '2.jpg') })],
    ['the expiry', (url: URL) => setParameter(url, 'X-Amz-Expires', () => '604800')],
    [
      'the date',
      (url: URL) =>
        setParameter(url, 'X-Amz-Date', (date) => date.replace(/.Z$/, (end) => (end === '0Z' ? '1Z' : '0Z'))),
    ],
    ['an added parameter', (url: URL) => setParameter(url, 'versionId', () => '1')],
  ])('refuses a presigned URL in which %s was changed', async (_what, change) => {
    const url = new URL(await presigned('photos/1.jpg'));
    change(url);
    expect(await codeOf(url.href)).toEqual({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  it('refuses a presigned URL that has expired', async () => {
    const url = await presigned('photos/1.jpg', {
      signingDate: new Date(Date.now() - 120_000),
      expiresIn: 60,
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('Request has expired');
  });

  it('refuses a wrong secret, an unknown key and another region', async () => {
    const command = new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/1.jpg' });
    const wrongSecret = clientWith({ secretAccessKey: 'wrong' });
    await expect(wrongSecret.send(command)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const unknownKey = clientWith({ accessKeyId: 'UNKNOWN' });
    await expect(unknownKey.send(command)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
    const elsewhere = clientWith({}, 'eu-west-1');
    await expect(elsewhere.send(command)).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed' });
  });
});

function clientWith(
  credentials: Partial<{ accessKeyId: string; secretAccessKey: string }> = {},
  region: string = emulatorRegion,
): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials: { ...emulatorCredentials, ...credentials },
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

async function presigned(
  key: string,
  options: { signingDate?: Date; expiresIn?: number } = {},
): Promise<string> {
  return getSignedUrl(clientWith(), new GetObjectCommand({ Bucket: emulatorBucket, Key: key }), options);
}

async function codeOf(url: string): Promise<{ status: number; code: string | undefined }> {
  const answer = await fetch(url);
  return { status: answer.status, code: /<Code>(\w+)</.exec(await answer.text())?.[1] };
}

function setParameter(url: URL, name: string, change: (value: string) => string): void {
  url.searchParams.set(name, change(url.searchParams.get(name) ?? ''));
}

function flipped(signature: string): string {
  return (signature.startsWith('0') ? '1' : '0') + signature.slice(1);
}
