import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request as nodeRequest, type Server } from 'node:http';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { request as undiciRequest } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toSignedRequest, type PlainRequest } from '../../src/aws/signed-request.ts';
import { emulatorBucket, emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';
import { createEmulator } from '../../src/emulator/server.ts';
import { openGot } from '../../src/execution/got-client.ts';
import { startRecorder, type Recorder } from '../support/recorder.ts';
import { isSignatureGood } from '../support/sigv4-verifier.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const places = [{ sign: 'header' }, { sign: 'query' }] as const;

let emulator: Server;
let endpoint: string;
let recorder: Recorder;
beforeAll(async () => {
  emulator = createEmulator({ latencyMs: 0, seed: 1, faults: [] }).listen(0, '127.0.0.1');
  [recorder] = await Promise.all([startRecorder(), once(emulator, 'listening')]);
  const address = emulator.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  recorder.close();
  emulator.close();
  emulator.closeAllConnections();
});

describe.each(places)('what is signed for the emulated S3 ($sign)', (options) => {
  const sign = async (Key: string): Promise<PlainRequest> =>
    toSignedRequest(
      new S3Client({ region: emulatorRegion, credentials: emulatorCredentials, endpoint }),
      new GetObjectCommand({ Bucket: emulatorBucket, Key }),
      options,
    );

  it('is accepted, with a traceparent too', async () => {
    const { url, ...init } = await sign('photos/1.jpg');
    const answers = [
      await fetch(url, init),
      await fetch(url, { ...init, headers: { ...init.headers, traceparent } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await answers[0]?.bytes())?.byteLength).toBe(300_000);
  });

  it.each(['a b', 'a+b', 'a%b', '50%25', 'ä/ß', 'a?b#c', "it's (1)*!", 'a//b', '=&;', '日本😀'])(
    'is accepted for the key %s, which is not there',
    async (key) => {
      const { url, ...init } = await sign(key);
      const answer = await fetch(url, init);
      expect([answer.status, /<Code>(\w+)</u.exec(await answer.text())?.[1]]).toEqual([404, 'NoSuchKey']);
    },
  );

  it.each([
    ['path', (one: PlainRequest) => ({ ...one, url: one.url.replace('1.jpg', '2.jpg') })],
    ['query', (one: PlainRequest) => ({ ...one, url: one.url.replace('x-id=GetObject', 'x-id=GetObjecT') })],
    [
      'date',
      changed('x-amz-date', 'X-Amz-Date', (date) => date.replace(/.Z$/u, (z) => (z === '0Z' ? '1Z' : '0Z'))),
    ],
    ['signature', changed('authorization', 'X-Amz-Signature', flipLast)],
    ['hash of the body', changed('x-amz-content-sha256', 'X-Amz-Content-Sha256', flipLast)],
  ])('is refused with one byte of the %s changed', async (_, change) => {
    const signed = await sign('photos/1.jpg');
    const { url, ...init } = change(signed);
    expect({ url, ...init }).not.toEqual(signed);
    const answer = await fetch(url, init);
    expect([answer.status, /<Code>(\w+)</u.exec(await answer.text())?.[1]]).toEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
  });
});

describe('any HTTP client', () => {
  const account = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
  const settings = (): { region: string; credentials: typeof account; endpoint: string } => ({
    region: 'eu-central-1',
    credentials: account,
    endpoint: recorder.url,
  });
  const commands: readonly (readonly [
    string,
    (options: (typeof places)[number]) => Promise<PlainRequest>,
  ])[] = [
    [
      'S3 GetObject',
      (options) =>
        toSignedRequest(
          new S3Client(settings()),
          new GetObjectCommand({ Bucket: 'b', Key: 'ä b//+?' }),
          options,
        ),
    ],
    [
      'S3 PutObject',
      (options) =>
        toSignedRequest(
          new S3Client(settings()),
          // So long that the SDK would wait for `100 Continue`.
          new PutObjectCommand({
            Bucket: 'b',
            Key: '%2F',
            Body: 'ü'.repeat(2_000_000),
            ContentType: 'text/x-ours',
          }),
          options,
        ),
    ],
    [
      'STS GetCallerIdentity',
      (options) => toSignedRequest(new STSClient(settings()), new GetCallerIdentityCommand(), options),
    ],
    [
      'Bedrock Converse',
      (options) =>
        toSignedRequest(
          // With its own handler, which speaks HTTP/2.
          new BedrockRuntimeClient(settings()),
          new ConverseCommand({
            modelId: 'a.b:0',
            messages: [{ role: 'user', content: [{ text: 'Grüße' }] }],
          }),
          options,
        ),
    ],
  ];
  const senders: readonly (readonly [string, (request: PlainRequest) => Promise<unknown>])[] = [
    ['fetch', async ({ url, ...init }) => (await fetch(url, init)).text()],
    ['undici', async ({ url, ...init }) => (await undiciRequest(url, init)).body.text()],
    ['node:http', sendByNode],
    ['got, as the workloads send it', sendByGot],
  ];
  const cells = senders.flatMap(([client, send]) =>
    commands.flatMap(([command, sign]) =>
      places.map((options) => ({ client, send, command, sign, options })),
    ),
  );

  it.each(cells)('$client: sends $command so that the signature is good ($options.sign)', async (cell) => {
    const request = await cell.sign(cell.options);
    const before = recorder.requests.length;
    await cell.send({ ...request, headers: { ...request.headers, traceparent } });
    const wire = recorder.requests[before];
    if (wire === undefined) throw new Error('nothing came');
    expect(recorder.requests).toHaveLength(before + 1);
    expect(wire.headers).toMatchObject({ ...request.headers, traceparent });
    expect(isSignatureGood(wire, account.secretAccessKey)).toBe(true);
    expect(isSignatureGood({ ...wire, method: 'PATCH' }, account.secretAccessKey)).toBe(false);
  });
});

describe('the example', () => {
  it('fetches an object', async () => {
    const told = await example({ AWS_ENDPOINT_URL_S3: endpoint }, emulatorBucket, 'photos/0.jpg');
    expect(told).toMatch(/^200 \S+ 300000 bytes\n$/u);
  });

  it('shows what S3 says when it refuses', async () => {
    const env = { AWS_ENDPOINT_URL_S3: endpoint, AWS_SECRET_ACCESS_KEY: 'wrong' };
    expect(await example(env, emulatorBucket, 'photos/0.jpg')).toContain(
      '<Code>SignatureDoesNotMatch</Code>',
    );
  });

  it('asks STS who it is', async () => {
    const before = recorder.requests.length;
    expect(await example({ AWS_ENDPOINT_URL_STS: recorder.url })).toBe('200 text/plain 5 bytes\nnoted\n');
    const wire = recorder.requests[before];
    if (wire === undefined) throw new Error('nothing came');
    expect(new TextDecoder().decode(wire.body)).toContain('Action=GetCallerIdentity');
    expect(isSignatureGood(wire, emulatorCredentials.secretAccessKey)).toBe(true);
  });
});

describe('the package', () => {
  const consumer = `
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { toSignedRequest, type PlainRequest, type SigningOptions } from 'fanout-bench/signed-request';

const s3 = new S3Client({});
const sts = new STSClient({});
const get = new GetObjectCommand({ Bucket: 'b', Key: 'k' });
const options: SigningOptions = { sign: 'query', expiresInSeconds: 60 };
export const signed: Promise<PlainRequest> = toSignedRequest(s3, get, options);
export async function send(): Promise<Response> {
  const { url, ...init } = await toSignedRequest(sts, new GetCallerIdentityCommand());
  return fetch(url, init);
}
// @ts-expect-error: a command of another client
void toSignedRequest(sts, get);
// @ts-expect-error: a signature in the header has no expiry of its own
void toSignedRequest(s3, get, { sign: 'header', expiresInSeconds: 60 });
// @ts-expect-error: there is no such place
void toSignedRequest(s3, get, { sign: 'body' });
`;

  it.each([
    ['nodenext', 'esnext', ['esnext'], ['node']],
    ['bundler', 'es2022', ['es2022', 'dom'], []],
  ])(
    'has types for others’ TypeScript, with module resolution %s',
    async (moduleResolution, target, lib, types) => {
      const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-consumer-'));
      try {
        await mkdir(join(folder, 'node_modules'));
        const installed = ['@aws-sdk', '@smithy', '@types', 'undici-types'];
        await Promise.all(
          installed.map((name) =>
            symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name)),
          ),
        );
        await symlink(root, join(folder, 'node_modules/fanout-bench'));
        const module = moduleResolution === 'nodenext' ? 'nodenext' : 'preserve';
        const compilerOptions = {
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          module,
          moduleResolution,
          target,
        };
        const config = { compilerOptions: { ...compilerOptions, lib, types }, files: ['consumer.ts'] };
        await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
        await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
        await writeFile(join(folder, 'consumer.ts'), consumer);
        const tsc = join(root, 'node_modules/typescript/bin/tsc');
        // It rejects, with what is wrong, when anything is.
        expect((await run(execPath, [tsc, '-p', folder]).catch(({ stdout }) => ({ stdout }))).stdout).toBe(
          '',
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it('exports the function, and nothing else', async () => {
    const { toSignedRequest: built, ...others } = await import(join(root, 'dist/signed-request.js'));
    expect(Object.keys(others)).toEqual([]);
    const client = new S3Client({ region: 'us-east-1', credentials: emulatorCredentials });
    const request = await built(client, new GetObjectCommand({ Bucket: 'pictures', Key: 'k' }));
    expect(request.url).toBe('https://pictures.s3.us-east-1.amazonaws.com/k?x-id=GetObject');
  });
});

async function example(env: Readonly<Record<string, string>>, ...parameters: string[]): Promise<string> {
  const own = {
    AWS_REGION: emulatorRegion,
    AWS_ACCESS_KEY_ID: emulatorCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulatorCredentials.secretAccessKey,
  };
  const script = join(root, 'examples/signed-request.ts');
  return (await run(execPath, [script, ...parameters], { env: { ...own, ...env } })).stdout;
}

function changed(
  header: string,
  parameter: string,
  change: (value: string) => string,
): (request: PlainRequest) => PlainRequest {
  return (request) => {
    const { url, headers } = request;
    if (headers[header] !== undefined) {
      return { ...request, headers: { ...headers, [header]: change(headers[header]) } };
    }
    return { ...request, url: url.replace(new RegExp(`(?<=${parameter}=)[^&]*`, 'u'), change) };
  };
}

function flipLast(text: string): string {
  return `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
}

async function sendByNode({ url, method, headers, body }: PlainRequest): Promise<void> {
  const outgoing = nodeRequest(url, { method, headers });
  outgoing.end(body ?? undefined);
  const [answer] = await once(outgoing, 'response');
  answer.resume();
  await once(answer, 'end');
}

async function sendByGot(request: PlainRequest): Promise<void> {
  const client = openGot({ region: '', endpoint: null, sockets: 1, attempts: 1 });
  const { signal } = new AbortController();
  expect(await client.send(request, 'text', signal)).toMatchObject({ state: 'answered', statusCode: 200 });
  client.close();
}
