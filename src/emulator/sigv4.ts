import { createHash, createHmac, timingSafeEqual, type Hash, type Hmac } from 'node:crypto';
import { ALGORITHM_IDENTIFIER, getCanonicalHeaders, getSigningKey, SignatureV4Base } from '@smithy/signature-v4';
import { emulatorCredentials, emulatorRegion } from './credentials.ts';

/** A request as its signature sees it. */
export interface SignedParts {
  readonly method: string;
  /** As it came, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Why a request is refused: S3's code and message. `null` when the signature is good. */
export interface Refusal {
  readonly code:
    | 'AccessDenied'
    | 'AuthorizationHeaderMalformed'
    | 'InvalidAccessKeyId'
    | 'RequestTimeTooSkewed'
    | 'SignatureDoesNotMatch';
  readonly message: string;
}

/** How far a request's clock may be off, as S3 has it. */
const allowedSkewMs = 15 * 60_000;

/**
 * Verifies AWS Signature Version 4 in the Authorization header or in a presigned query, by signing what was signed
 * again. Headers that are not signed do not count, so a `traceparent` added afterwards does no harm.
 */
export async function refusalOf(request: SignedParts, service: string, nowMs: number): Promise<Refusal | null> {
  const claim = readClaim(request);
  if (claim === null) return { code: 'AccessDenied', message: 'Access Denied' };
  if ('code' in claim) return claim;
  const [accessKeyId, shortDate, region, claimedService] = claim.credential;
  if (accessKeyId !== emulatorCredentials.accessKeyId) {
    return {
      code: 'InvalidAccessKeyId',
      message: 'The AWS Access Key Id you provided does not exist in our records.',
    };
  }
  if (region !== emulatorRegion || claimedService !== service || shortDate !== claim.date.slice(0, 8)) {
    const expected = `${emulatorRegion}/${service}`;
    return { code: 'AuthorizationHeaderMalformed', message: `The credential scope must be for ${expected}.` };
  }
  const signedAtMs = parseDate(claim.date);
  if (claim.expiresSeconds === null && Math.abs(nowMs - signedAtMs) > allowedSkewMs) {
    return { code: 'RequestTimeTooSkewed', message: 'The request time and the current time differ too much.' };
  }
  if (claim.expiresSeconds !== null && nowMs > signedAtMs + claim.expiresSeconds * 1000) {
    return { code: 'AccessDenied', message: 'Request has expired' };
  }
  const expected = await new Resigner(service).signatureOf(request, claim);
  if (sameText(expected, claim.signature)) return null;
  return {
    code: 'SignatureDoesNotMatch',
    message: 'The request signature we calculated does not match the signature you provided.',
  };
}

interface Claim {
  readonly credential: readonly string[];
  /** `20260102T030405Z` */
  readonly date: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly payloadHash: string;
  /** `null` for a signature in the header. */
  readonly expiresSeconds: number | null;
}

function readClaim({ query, headers }: SignedParts): Claim | Refusal | null {
  const signature = query.get('X-Amz-Signature');
  if (signature !== null) {
    return {
      credential: (query.get('X-Amz-Credential') ?? '').split('/'),
      date: query.get('X-Amz-Date') ?? '',
      signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
      signature,
      payloadHash: query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
      expiresSeconds: Number(query.get('X-Amz-Expires') ?? 0),
    };
  }
  const authorization = headers['authorization'];
  if (authorization === undefined) return null;
  const parts = /^AWS4-HMAC-SHA256 +Credential=([^,]+), *SignedHeaders=([^,]+), *Signature=([0-9a-f]+)$/.exec(
    authorization,
  );
  if (parts === null) {
    return { code: 'AuthorizationHeaderMalformed', message: 'The authorization header is malformed.' };
  }
  const [, credential = '', signedHeaders = '', headerSignature = ''] = parts;
  return {
    credential: credential.split('/'),
    date: headers['x-amz-date'] ?? '',
    signedHeaders: signedHeaders.split(';'),
    signature: headerSignature,
    payloadHash: headers['x-amz-content-sha256'] ?? emptyPayloadHash,
    expiresSeconds: null,
  };
}

const emptyPayloadHash = createHash('sha256').digest('hex');

/** The SDK's own canonical request and string to sign, for a request that is signed already. */
class Resigner extends SignatureV4Base {
  constructor(service: string) {
    super({
      ...{ service, region: emulatorRegion, credentials: emulatorCredentials, sha256: Sha256 },
      // S3 signs the path as it is; every other service encodes it once more.
      uriEscapePath: service !== 's3',
    });
  }

  async signatureOf(request: SignedParts, claim: Claim): Promise<string> {
    const signed = new Set(claim.signedHeaders);
    const headers = Object.fromEntries(
      [...signed].map((name) => [name, request.headers[name] ?? '']),
    );
    const canonical = this.createCanonicalRequest(
      {
        ...{ method: request.method, path: request.path, headers, query: bag(request.query) },
        ...{ protocol: 'http:', hostname: '' },
      },
      getCanonicalHeaders({ headers, method: '', path: '', protocol: '', hostname: '' }, undefined, signed),
      claim.payloadHash,
    );
    const [, shortDate = '', region = '', service = ''] = claim.credential;
    const scope = `${shortDate}/${region}/${service}/aws4_request`;
    const text = await this.createStringToSign(claim.date, scope, canonical, ALGORITHM_IDENTIFIER);
    const key = await getSigningKey(Sha256, emulatorCredentials, shortDate, region, service);
    return createHmac('sha256', key).update(text).digest('hex');
  }
}

/** node:crypto's SHA-256, keyed or not, in the shape that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof secret === 'string') return new TextEncoder().encode(secret);
  if (secret instanceof ArrayBuffer) return new Uint8Array(secret);
  return new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
}

/** A query with every value of every key, but for the signature itself. */
function bag(query: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(query.keys())]
      .filter((key) => key !== 'X-Amz-Signature')
      .map((key) => [key, query.getAll(key).length > 1 ? query.getAll(key) : (query.get(key) ?? '')]),
  );
}

/** Unix time in milliseconds of `20260102T030405Z`; `NaN` for anything else. */
function parseDate(compact: string): number {
  return Date.parse(compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
