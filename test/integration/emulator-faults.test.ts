import { once } from 'node:events';
import { request, type IncomingMessage, type Server } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorBucket, emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { parseFaults } from '../../src/emulator/faults.ts';
import { makeObjects } from '../../src/emulator/objects.ts';
import { createEmulator } from '../../src/emulator/server.ts';

let server: Server;
let client: S3Client;
beforeAll(async () => {
  const faults = parseFaults(
    'truncate@photos/1.jpg,reset@photos/2.jpg,error@photos/3.jpg,corrupt@photos/4.jpg,stall@photos/5.jpg,error@other?list',
  );
  server = createEmulator({ latencyMs: 0, seed: 1, faults }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  client = new S3Client({
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    region: emulatorRegion,
    credentials: emulatorCredentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe('an emulator with faults', () => {
  it('truncate: promises the whole body and breaks off half-way', async () => {
    const { answer, body } = await exchange('photos/1.jpg');
    expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, '300000']);
    expect(answer.complete).toBe(false);
    expect(body.byteLength).toBeLessThan(300_000);
  });

  it('reset: closes the connection in place of an answer', async () => {
    await expect(exchange('photos/2.jpg')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('error: answers InternalError as S3 does', async () => {
    const read = client.send(new GetObjectCommand({ Bucket: emulatorBucket, Key: 'photos/3.jpg' }));
    await expect(read).rejects.toMatchObject({ name: 'InternalError', $metadata: { httpStatusCode: 500 } });
  });

  it('corrupt: answers the right length, with one byte changed', async () => {
    const { body } = await exchange('photos/4.jpg');
    const stored = makeObjects().get('photos/4.jpg')?.body ?? new Uint8Array();
    expect(body.byteLength).toBe(stored.byteLength);
    expect([...body].filter((byte, index) => byte !== stored[index])).toHaveLength(1);
  });

  it('stall: takes the request and never answers', async () => {
    const outgoing = request(await presigned('photos/5.jpg')).end();
    let answered = false;
    outgoing.on('response', () => (answered = true)).on('error', () => undefined);
    await once(server, 'request');
    // What is asked later is answered meanwhile.
    expect((await exchange('photos/0.jpg')).answer.statusCode).toBe(200);
    await turn();
    expect(answered).toBe(false);
    outgoing.destroy();
  });

  it('leaves other keys alone, and refuses a bad signature before it fails on purpose', async () => {
    expect((await exchange('photos/0.jpg')).answer.complete).toBe(true);
    const url = new URL(await presigned('photos/3.jpg'));
    url.searchParams.set('X-Amz-Signature', '0'.repeat(64));
    expect((await fetch(url)).status).toBe(403);
  });
});

describe('what the emulator can not do', () => {
  it('is said as S3 says it', async () => {
    const put = client.send(new PutObjectCommand({ Bucket: emulatorBucket, Key: 'a', Body: 'b' }));
    await expect(put).rejects.toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
  });

  it.each(['/', '/fanout-bench', '/%', '/?a?b', '/fanout-bench/%zz?X-Amz-Signature'])(
    'is refused and harms nothing: %s',
    async (path) => {
      const answer = await exchangeAt(new URL(path, await endpoint()).href);
      expect(answer.answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.answer.statusCode).toBeLessThan(502);
    },
  );
});

describe('errors and pages of the emulated S3', () => {
  it('tell the key, and the request by the same id as the header', async () => {
    const { answer, body } = await exchange('none & <nothing>');
    const id = String(answer.headers['x-amz-request-id']);
    expect(id).toMatch(/^[0-9A-F]{16}$/);
    expect(body.toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>' +
        '<Message>The specified key does not exist.</Message><Key>none &amp; &lt;nothing&gt;</Key>' +
        `<RequestId>${id}</RequestId></Error>`,
    );
  });

  it('a page of nothing says that nothing is left', async () => {
    const page = await client.send(new ListObjectsV2Command({ Bucket: emulatorBucket, MaxKeys: 0 }));
    expect([page.KeyCount, page.IsTruncated]).toEqual([0, false]);
  });

  it('a page of less than nothing is an invalid argument', async () => {
    const page = client.send(new ListObjectsV2Command({ Bucket: emulatorBucket, MaxKeys: -1 }));
    await expect(page).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});

async function presigned(key: string): Promise<string> {
  return getSignedUrl(client, new GetObjectCommand({ Bucket: emulatorBucket, Key: key }));
}

async function endpoint(): Promise<string> {
  return new URL(await presigned('a')).origin;
}

async function exchange(key: string): Promise<{ answer: IncomingMessage; body: Buffer }> {
  return exchangeAt(await presigned(key));
}

/** One request on a connection of its own, and whatever came of its body. */
function exchangeAt(url: string): Promise<{ answer: IncomingMessage; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => undefined);
      answer.on('close', () => resolve({ answer, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}
