import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorBucket } from '../../src/emulator/credentials.ts';
import { EmulatorUnderTest, modelId } from '../support/emulator.ts';

let emulator: EmulatorUnderTest;
beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
});
afterAll(() => emulator.close());

const object = { Bucket: emulatorBucket, Key: 'scratch/a b' };
const body = 'some text, ä';
const etag = `"${createHash('md5').update(body).digest('hex')}"`;

describe('an object put to a scratch key', () => {
  it('is kept as it came, and not listed', async () => {
    const client = emulator.s3();
    expect(await client.send(new PutObjectCommand({ ...object, Body: body }))).toMatchObject({ ETag: etag });
    const got = await client.send(new GetObjectCommand(object));
    expect([await got.Body?.transformToString(), got.ETag]).toEqual([body, etag]);
    expect(await client.send(new HeadObjectCommand(object))).toMatchObject({ ETag: etag });
    const { Contents: contents } = await client.send(new ListObjectsV2Command({ Bucket: emulatorBucket }));
    expect(contents?.map(({ Key }) => Key).filter((key) => key?.startsWith('scratch/'))).toEqual([]);
  });

  it('can be put with a presigned URL, whose signature leaves the body open', async () => {
    const url = await getSignedUrl(emulator.s3(), new PutObjectCommand(object));
    const answer = await fetch(url, { method: 'PUT', body: 'another' });
    expect(answer.status).toBe(200);
    const got = await emulator.s3().send(new GetObjectCommand(object));
    expect(await got.Body?.transformToString()).toBe('another');
  });

  it('is refused when it is not the body that was signed', async () => {
    const client = emulator.s3();
    client.middlewareStack.add(
      (next) => async (args) => {
        Object.assign(args.request ?? {}, { body: 'SOME TEXT, Ä' });
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(client.send(new PutObjectCommand({ ...object, Body: body }))).rejects.toMatchObject({
      name: 'XAmzContentSHA256Mismatch',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('is refused with a wrong secret, to another bucket, and above 1 MB', async () => {
    const put = new PutObjectCommand({ ...object, Body: body });
    const wrong = emulator.s3({ credentials: { secretAccessKey: 'wrong' } });
    await expect(wrong.send(put)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    const other = new PutObjectCommand({ ...object, Bucket: 'other', Body: body });
    await expect(emulator.s3().send(other)).rejects.toMatchObject({ name: 'NoSuchBucket' });
    const large = new PutObjectCommand({ ...object, Body: new Uint8Array(1_000_001) });
    await expect(emulator.s3().send(large)).rejects.toMatchObject({
      name: 'EntityTooLarge',
      $metadata: { httpStatusCode: 400 },
    });
    const largest = new PutObjectCommand({ ...object, Body: new Uint8Array(1_000_000) });
    expect((await emulator.s3().send(largest)).$metadata.httpStatusCode).toBe(200);
  });

  it('takes the place of the oldest once there are a hundred', async () => {
    const client = emulator.s3();
    for (let index = 0; index <= 100; index += 1) {
      await client.send(new PutObjectCommand({ ...object, Key: `scratch/${index}`, Body: String(index) }));
    }
    const read = (index: number) => client.send(new GetObjectCommand({ ...object, Key: `scratch/${index}` }));
    await expect(read(0)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await (await read(1)).Body?.transformToString()).toBe('1');
  });
});

describe('a session token', () => {
  it('is taken with the signature it is in, in the header and in the query', async () => {
    const client = emulator.s3({ credentials: { sessionToken: 'a+session/token==' } });
    const photo = new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/1.jpg' });
    expect((await client.send(photo)).ContentLength).toBe(300_000);
    const url = new URL(await getSignedUrl(client, photo));
    expect((await fetch(url)).status).toBe(200);
    url.searchParams.set('X-Amz-Security-Token', 'another');
    expect((await fetch(url)).status).toBe(403);
  });

  it('is refused when it is not signed', async () => {
    const client = emulator.s3();
    client.middlewareStack.add(
      (next) => async (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'headers' in request) {
          Object.assign(request.headers ?? {}, { 'x-amz-security-token': 'added' });
        }
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const read = client.send(new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/1.jpg' }));
    await expect(read).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  });
});

describe('a body of more than 1 MB', () => {
  it.each([
    ['/', '<Code>RequestEntityTooLarge</Code>'],
    [`/model/${modelId}/invoke`, '"message"'],
    ['/pages/0', 'exceeds'],
  ])('is refused in the words of the service at %s', async (path, words) => {
    const answer = await fetch(emulator.endpoint + path, { method: 'POST', body: new Uint8Array(2_000_000) });
    expect([400, 413]).toContain(answer.status);
    expect(await answer.text()).toContain(words);
  });
});
