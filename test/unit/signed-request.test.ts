import { Readable } from 'node:stream';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  InvokeModelCommand,
  InvokeModelWithBidirectionalStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { HttpResponse, type HttpRequest } from '@smithy/core/protocols';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { toSignedRequest, type PlainRequest, type SigningOptions } from '../../src/aws/signed-request.ts';
import { isSignatureGood, type WireRequest } from '../support/sigv4-verifier.ts';

const permanent = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a/secret+with=signs' };
const temporary = { ...permanent, sessionToken: 'a+session/token==' };

/** Nothing may be sent: a client that tries fails its test. */
const handle = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('it was sent')));
afterEach(() => {
  vi.useRealTimers();
  const { calls } = handle.mock;
  handle.mockClear();
  if (calls.length > 0) throw new Error('something was sent while it was signed');
});

const settings = { region: 'eu-central-1', credentials: permanent, requestHandler: { handle } };
const s3 = (more: object = {}): S3Client => new S3Client({ ...settings, ...more });
const sts = (more: object = {}): STSClient => new STSClient({ ...settings, ...more });
// Its default handler speaks HTTP/2, and the SDK signs accordingly.
const http2 = { metadata: { handlerProtocol: 'h2' }, handle };
const bedrock = (more: object = {}): BedrockRuntimeClient =>
  new BedrockRuntimeClient({ ...settings, requestHandler: http2, ...more });

type Sign = (options?: SigningOptions, more?: object) => Promise<PlainRequest>;

const getObject: Sign = (options, more) =>
  toSignedRequest(s3(more), new GetObjectCommand({ Bucket: 'pictures', Key: 'a b/c.jpg' }), options);
const putObject: Sign = (options, more) =>
  toSignedRequest(
    s3(more),
    new PutObjectCommand({ Bucket: 'pictures', Key: 'k', Body: 'grün', Metadata: { of: 'ours' } }),
    options,
  );
const putBytes: Sign = (options, more) =>
  toSignedRequest(
    s3(more),
    new PutObjectCommand({
      Bucket: 'Dotted.Bucket',
      Key: 'k',
      Body: Buffer.from([0, 255, 1]),
      ContentType: 'image/jpeg',
      ServerSideEncryption: 'AES256',
    }),
    options,
  );
const getCallerIdentity: Sign = (options, more) =>
  toSignedRequest(sts(more), new GetCallerIdentityCommand(), options);
const assumeRole: Sign = (options, more) =>
  toSignedRequest(
    sts(more),
    new AssumeRoleCommand({
      RoleArn: 'arn:aws:iam::1:role/x',
      RoleSessionName: 'a+b',
      Policy: '{"ä": "&= +%"}',
    }),
    options,
  );
const converse: Sign = (options, more) =>
  toSignedRequest(
    bedrock(more),
    new ConverseCommand({
      modelId: 'a.model-v1:0',
      messages: [{ role: 'user', content: [{ text: 'Grüße?' }] }],
    }),
    options,
  );
const invokeModel: Sign = (options, more) =>
  toSignedRequest(
    bedrock(more),
    new InvokeModelCommand({
      modelId: 'arn:aws:bedrock:eu-central-1:1:inference-profile/x',
      contentType: 'application/json',
      accept: 'application/json',
      body: '{"prompt":"ü"}',
    }),
    options,
  );

const requests: readonly (readonly [string, Sign])[] = [
  ['S3 GetObject', getObject],
  ['S3 PutObject of a string', putObject],
  ['S3 PutObject of bytes', putBytes],
  ['STS GetCallerIdentity', getCallerIdentity],
  ['STS AssumeRole', assumeRole],
  ['Bedrock Converse', converse],
  ['Bedrock InvokeModel', invokeModel],
];
const inQuery = { sign: 'query' } as const;
const placed = requests.flatMap(
  ([name, sign]) =>
    [
      [`${name}, signed in the header`, (more?: object) => sign({}, more)],
      [`${name}, signed in the query`, (more?: object) => sign(inQuery, more)],
    ] as const,
);

describe.each(placed)('%s', (_name, sign) => {
  it('is good', async () => {
    expect(isGood(await sign())).toBe(true);
  });

  it('is good with temporary credentials, whose token is signed too', async () => {
    const request = await sign({ credentials: temporary });
    const token = new URL(request.url).searchParams.get('X-Amz-Security-Token');
    expect(token ?? request.headers['x-amz-security-token']).toBe(temporary.sessionToken);
    expect(isGood(request)).toBe(true);
    const { 'x-amz-security-token': _dropped, ...headers } = request.headers;
    const url = request.url.replace('session%2Ftoken', 'session%2ftoken');
    expect(isGood({ ...request, url, headers })).toBe(false);
  });

  it('is good at an endpoint with a port', async () => {
    const request = await sign({ endpoint: 'http://127.0.0.1:4566' });
    expect(request.url).toMatch(/^http:\/\/127\.0\.0\.1:4566\//u);
    expect(isGood(request)).toBe(true);
  });

  it('is good with headers that are added later', async () => {
    const request = await sign();
    const headers = { ...request.headers, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    expect(isGood({ ...request, headers })).toBe(true);
  });

  it('is no longer good with another path, parameter, host, date or secret', async () => {
    const request = await sign();
    const url = new URL(request.url);
    const others = [
      Object.assign(new URL(url), { pathname: `${url.pathname}x` }).href,
      `${request.url}${url.search === '' ? '?' : '&'}more=1`,
      Object.assign(new URL(url), { hostname: 'elsewhere.example' }).href,
      request.url.replace(/(X-Amz-Date=\d)(\d)/u, (_, start, digit) => `${start}${(Number(digit) + 1) % 10}`),
    ];
    const changed = others.filter((other) => other !== request.url);
    expect(changed.map((other) => isGood({ ...request, url: other }))).toEqual(changed.map(() => false));
    expect(isGood(request, 'another secret')).toBe(false);
  });

  it('is no longer good with any other value of a header that is signed', async () => {
    const request = await sign();
    const verdicts = signedHeadersOf(request)
      .filter((name) => name in request.headers)
      .map((name) => isGood({ ...request, headers: { ...request.headers, [name]: 'changed' } }));
    expect(verdicts).toEqual(verdicts.map(() => false));
  });

  it('leaves to its sender what each client sets itself', async () => {
    const { headers } = await sign();
    expect(Object.keys(headers)).not.toContainEqual(
      expect.stringMatching(/^(host|content-length|expect|:.*|amz-sdk-.*)$/iu),
    );
  });

  it('is plain data', async () => {
    const request = await sign();
    expect(structuredClone(request)).toEqual(request);
    expect(Object.keys(request)).toEqual(['method', 'url', 'headers', 'body']);
    const isText = !(request.body instanceof Uint8Array);
    expect(isText ? JSON.parse(JSON.stringify(request)) : request).toEqual(request);
  });
});

describe('a body', () => {
  it.each([
    ['S3 PutObject of a string', putObject],
    ['STS AssumeRole', assumeRole],
    ['Bedrock Converse', converse],
    ['Bedrock InvokeModel', invokeModel],
  ] as const)(
    'of %s is what is signed in the header: with another one it is no longer good',
    async (_, sign) => {
      const request = await sign();
      expect(isGood({ ...request, body: `${textOf(request.body)} ` })).toBe(false);
      // Bytes and the text they stand for are the same to the service.
      expect(isGood({ ...request, body: textOf(request.body) })).toBe(true);
    },
  );

  it('is the one that the SDK would send', async () => {
    expect((await putObject()).body).toBe('grün');
    expect((await putBytes()).body).toEqual(new Uint8Array([0, 255, 1]));
    expect((await getCallerIdentity()).body).toBe('Action=GetCallerIdentity&Version=2011-06-15');
    expect(JSON.parse(textOf((await converse()).body))).toEqual({
      messages: [{ role: 'user', content: [{ text: 'Grüße?' }] }],
    });
    expect(textOf((await invokeModel()).body)).toBe('{"prompt":"ü"}');
    expect((await getObject()).body).toBeNull();
  });

  it.each([
    ['S3 PutObject', putBytes],
    ['Bedrock Converse', converse],
  ] as const)('of bytes (%s) lies in a buffer that holds nothing else', async (_, sign) => {
    // Cloning a view takes its whole buffer along, and Node pools small ones.
    const { body } = await sign();
    expect(body).toBeInstanceOf(Uint8Array);
    expect(body?.constructor).toBe(Uint8Array);
    const { buffer } = bytesOf(body);
    expect(buffer.byteLength).toBe(bytesOf(body).byteLength);
  });

  it('is a copy: who changes theirs afterwards does not change what was signed', async () => {
    const Body = new Uint8Array([1, 2, 3]);
    const request = await toSignedRequest(s3(), new PutObjectCommand({ Bucket: 'b', Key: 'k', Body }));
    Body.fill(0);
    expect(request.body).toEqual(new Uint8Array([1, 2, 3]));
    expect(isGood(request)).toBe(true);
  });

  it('that the SDK would not send before the server says to continue is sent at once', async () => {
    const Body = new Uint8Array(3_000_000);
    const request = await toSignedRequest(s3(), new PutObjectCommand({ Bucket: 'b', Key: 'k', Body }));
    expect(request.headers).not.toHaveProperty('expect');
  });

  it('that is a stream is refused', async () => {
    const Body = Readable.from(['a']);
    const put = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body, ContentLength: 1 });
    await expect(toSignedRequest(s3(), put)).rejects.toThrow(/stream.*string or as bytes/u);
    const talk = new InvokeModelWithBidirectionalStreamCommand({
      modelId: 'm',
      body: (async function* () {})(),
    });
    await expect(toSignedRequest(bedrock(), talk)).rejects.toThrow(/is a stream/u);
  });
});

describe('keys of S3 objects', () => {
  it.each([
    'with space',
    'a+b',
    '100%',
    '50%25',
    '%2F',
    '%2e%2e/x',
    'ünï/日本 語',
    '😀',
    'what?',
    'x?versionId=1&X-Amz-Expires=9',
    'hash#tag',
    'a//b',
    '//a',
    'a/',
    "it's (1)!*$~",
    '[brackets]{braces}|^`"<>\\',
    '.hidden/..two/three...',
    'tab\tand\nline',
  ])('%j: the URL names this object, as any URL parser reads it', async (Key) => {
    for (const [client, before] of [
      [s3(), '/'],
      [s3({ forcePathStyle: true }), '/pictures/'],
    ] as const) {
      for (const options of [{}, inQuery]) {
        const command = new GetObjectCommand({ Bucket: 'pictures', Key });
        const request = await toSignedRequest(client, command, options);
        expect(isGood(request)).toBe(true);
        const url = new URL(request.url);
        expect(url.href).toBe(request.url);
        expect(decodeURIComponent(url.pathname)).toBe(`${before}${Key}`);
      }
    }
  });

  it.each(['..', '../other-bucket/k', 'a/../b', 'a/.', './a'])(
    '%j is refused: clients would ask for another object',
    async (Key) => {
      const command = new GetObjectCommand({ Bucket: 'pictures', Key });
      await expect(toSignedRequest(s3(), command)).rejects.toThrow(/segments \. and \.\./u);
    },
  );
});

describe('a signature in the query', () => {
  it.each([
    ['GetObject', new GetObjectCommand({ Bucket: 'pictures', Key: 'a b//c+d' })],
    ['HeadObject', new HeadObjectCommand({ Bucket: 'pictures', Key: 'k', VersionId: 'v 1' })],
  ])('gives for %s the URL that the SDK’s own presigner gives, and needs no header', async (_, command) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const one of [settings, { ...settings, credentials: temporary }]) {
      const client = new S3Client(one);
      const { url, headers } = await toSignedRequest(client, command, inQuery);
      expect(url).toBe(await getSignedUrl(client, command));
      expect(headers).toEqual({});
    }
  });

  it('gives for PutObject the presigner’s URL as well, and the headers that stay outside', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const Body = 'x';
    const command = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body, ServerSideEncryption: 'AES256' });
    const { url, headers } = await toSignedRequest(s3(), command, { sign: 'query', expiresInSeconds: 60 });
    expect(url).toBe(await getSignedUrl(s3(), command, { expiresIn: 60 }));
    expect(headers).toEqual({
      'content-type': 'application/octet-stream',
      'x-amz-server-side-encryption': 'AES256',
    });
  });

  it('makes an STS command a GET that its URL says whole', async () => {
    const request = await assumeRole(inQuery);
    expect(request).toMatchObject({ method: 'GET', headers: {}, body: null });
    expect(Object.fromEntries(new URL(request.url).searchParams)).toMatchObject({
      Action: 'AssumeRole',
      RoleSessionName: 'a+b',
      Policy: '{"ä": "&= +%"}',
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
    });
  });

  it('leaves the body of any other command where it is, and signs it', async () => {
    const request = await converse(inQuery);
    expect(request.method).toBe('POST');
    expect(isGood({ ...request, body: '{}' })).toBe(false);
  });

  it('leaves headers that are the service’s own where services but S3 look for them, signed', async () => {
    const client = bedrock();
    client.middlewareStack.add(
      (next) => (args) => {
        if (isWithHeaders(args.request)) args.request.headers['X-Amz-Target'] = 'Service.Operation';
        return next(args);
      },
      { step: 'build' },
    );
    const command = new InvokeModelCommand({ modelId: 'm', body: '{}' });
    const request = await toSignedRequest(client, command, inQuery);
    expect(request.headers['x-amz-target']).toBe('Service.Operation');
    expect(signedHeadersOf(request)).toContain('x-amz-target');
    expect(isGood(request)).toBe(true);
  });

  it.each([1, 604_800])('is good for %d seconds when asked', async (expiresInSeconds) => {
    const { url } = await getObject({ sign: 'query', expiresInSeconds });
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe(`${expiresInSeconds}`);
  });

  it.each([0, -1, 1.5, 604_801, Number.NaN, Infinity])('is not given for %d seconds', async (seconds) => {
    const signing = getObject({ sign: 'query', expiresInSeconds: seconds });
    await expect(signing).rejects.toThrow(new RegExp(`${RangeError.name}|1 to 604800`, 'u'));
  });

  it('is not given by a client that has a bearer token instead of keys', async () => {
    const token = { token: { token: 'abc' }, authSchemePreference: ['httpBearerAuth'] };
    expect((await converse({}, token)).headers['authorization']).toBe('Bearer abc');
    await expect(converse(inQuery, token)).rejects.toThrow(/smithy\.api#httpBearerAuth/u);
  });

  it('is not given by a signer that can not', async () => {
    const unsigned = { signer: { sign: async (request: unknown) => request } };
    expect((await getObject({}, unsigned)).headers).not.toHaveProperty('authorization');
    await expect(getObject(inQuery, unsigned)).rejects.toThrow(/signer has no form for the query/u);
  });
});

describe('client and command', () => {
  it.each([{}, inQuery])('are left as they were, and give the same again (%j)', async (options) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const client = s3();
    const command = new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' });
    const state = (): unknown =>
      structuredClone([client.middlewareStack.identify(), command.middlewareStack.identify(), command.input]);
    const before = state();
    const first = await toSignedRequest(client, command, options);
    expect(await toSignedRequest(client, command, options)).toEqual(first);
    expect(await toSignedRequest(s3(), command, options)).toEqual(first);
    expect(state()).toEqual(before);
  });

  it('keep their input when a middleware changes it on the way', async () => {
    const client = s3();
    client.middlewareStack.add(
      (next) => (args) => next(Object.assign(args, { input: withRange(args.input) })),
    );
    const command = new GetObjectCommand({ Bucket: 'b', Key: 'k' });
    expect((await toSignedRequest(client, command)).headers).toHaveProperty('range');
    expect(command.input).toEqual({ Bucket: 'b', Key: 'k' });
  });

  it('still send when asked to', async () => {
    const client = s3({ maxAttempts: 1 });
    const command = new GetObjectCommand({ Bucket: 'b', Key: 'k' });
    await toSignedRequest(client, command);
    await expect(client.send(command)).rejects.toThrow('it was sent');
    expect(handle).toHaveBeenCalledOnce();
    handle.mockClear();
  });

  it('have their own middleware heard, last of all too', async () => {
    const client = s3();
    client.middlewareStack.add(
      (next) => (args) => {
        if (isWithHeaders(args.request)) args.request.headers['x-mine'] = 'signed';
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    const command = new GetObjectCommand({ Bucket: 'b', Key: 'k' });
    command.middlewareStack.add(
      (next) => (args) => {
        if (isWithHeaders(args.request)) args.request.headers['x-late'] = 'not signed';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'normal' },
    );
    const request = await toSignedRequest(client, command);
    expect(request.headers).toMatchObject({ 'x-mine': 'signed', 'x-late': 'not signed' });
    expect(signedHeadersOf(request)).toContain('x-mine');
    expect(signedHeadersOf(request)).not.toContain('x-late');
    expect(isGood(request)).toBe(true);
  });

  it('have their credentials asked for again when those have expired', async () => {
    let current: object = permanent;
    const provider = async (): Promise<typeof permanent> =>
      Object.assign({ ...permanent, expiration: new Date(0) }, current);
    const client = s3({ credentials: provider });
    const command = new GetObjectCommand({ Bucket: 'b', Key: 'k' });
    expect((await toSignedRequest(client, command)).headers).not.toHaveProperty('x-amz-security-token');
    current = temporary;
    expect((await toSignedRequest(client, command)).headers).toHaveProperty('x-amz-security-token');
  });

  it('throw what the SDK throws, and once: nothing is tried again', async () => {
    const failure = Object.assign(new Error('no network'), { name: 'TimeoutError', $retryable: {} });
    const sign = vi.fn<() => Promise<never>>(() => Promise.reject(failure));
    await expect(getObject({}, { signer: { sign }, maxAttempts: 5 })).rejects.toBe(failure);
    expect(sign).toHaveBeenCalledOnce();
    const noKeys = { credentials: () => Promise.reject(failure) };
    await expect(getCallerIdentity({}, noKeys)).rejects.toBe(failure);
    const noBucket = new GetObjectCommand({ Bucket: '', Key: 'k' });
    await expect(toSignedRequest(s3(), noBucket)).rejects.toThrow(/Bucket/u);
  });
});

describe('a directory bucket of S3 Express', () => {
  it.each([
    ['the header', { sign: 'header' }],
    ['the query', inQuery],
  ] as const)('is asked with its session’s token, signed in %s', async (_, options) => {
    const session = { accessKeyId: 'ASIASESSION', secretAccessKey: 'of the session', token: 'session-token' };
    const asked: string[] = [];
    const answerCreateSession = async ({ query }: HttpRequest): Promise<{ response: HttpResponse }> => {
      asked.push(...Object.keys(query));
      const body = Readable.from([
        '<CreateSessionResult><Credentials>',
        `<AccessKeyId>${session.accessKeyId}</AccessKeyId><SecretAccessKey>${session.secretAccessKey}</SecretAccessKey>`,
        `<SessionToken>${session.token}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>`,
        '</Credentials></CreateSessionResult>',
      ]);
      return { response: new HttpResponse({ statusCode: 200, headers: {}, body }) };
    };
    const client = s3({ requestHandler: { handle: answerCreateSession }, credentials: temporary });
    const command = new GetObjectCommand({ Bucket: 'pictures--euc1-az1--x-s3', Key: 'a b' });
    const request = await toSignedRequest(client, command, options);
    expect(asked).toEqual(['session']);
    expect(isGood(request, session.secretAccessKey)).toBe(true);
    expect(request.url).toMatch(/^https:\/\/pictures--euc1-az1--x-s3\.s3express-euc1-az1\./u);
    const inUrl = new URL(request.url).searchParams;
    expect(inUrl.get('X-Amz-S3session-Token') ?? request.headers['x-amz-s3session-token']).toBe(
      session.token,
    );
    expect(JSON.stringify(request)).not.toMatch(/X-Amz-Security-Token/iu);
    const place: string = 'authorization' in request.headers ? 'header' : 'query';
    expect([place, inUrl.has('X-Amz-Signature')]).toEqual([options.sign, place === 'query']);
  });
});

/** As a client sends it over HTTP/1.1, with the headers that it sets itself. */
function wireOf({ method, url, headers, body }: PlainRequest): WireRequest {
  const { host, pathname, search } = new URL(url);
  const bytes = bytesOf(body);
  const own = { host, ...(body === null ? {} : { 'content-length': `${bytes.byteLength}` }) };
  return { method, target: `${pathname}${search}`, headers: { ...headers, ...own }, body: bytes };
}

function isGood(request: PlainRequest, secret = permanent.secretAccessKey): boolean {
  return isSignatureGood(wireOf(request), secret);
}

function signedHeadersOf({ url, headers }: PlainRequest): readonly string[] {
  const inHeader = /SignedHeaders=([^,]*)/u.exec(headers['authorization'] ?? '')?.[1];
  return (inHeader ?? new URL(url).searchParams.get('X-Amz-SignedHeaders') ?? '').split(';');
}

function bytesOf(body: PlainRequest['body']): Uint8Array {
  return body instanceof Uint8Array ? body : new TextEncoder().encode(body ?? '');
}

function textOf(body: PlainRequest['body']): string {
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : (body ?? '');
}

/** As some middleware does: in place. */
function withRange<T extends object>(input: T): T {
  return Object.assign(input, { Range: 'bytes=0-9' });
}

function isWithHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}
