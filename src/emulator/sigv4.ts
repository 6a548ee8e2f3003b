import { createHash, createHmac, timingSafeEqual, type Hash, type Hmac } from 'node:crypto';
import {
  ALGORITHM_IDENTIFIER,
  getCanonicalHeaders,
  getSigningKey,
  SignatureV4Base,
} from '@smithy/signature-v4';
import { malformed, readClaim, type Claim, type Refusal, type SignedParts } from './claim.ts';
import { emulatorCredentials, emulatorRegion } from './credentials.ts';

/** How far a request's clock may be off, as S3 has it. */
const allowedSkewMs = 15 * 60_000;

/**
 * Verifies AWS Signature Version 4 in the Authorization header or in a presigned query, by signing what was signed
 * again. Headers that are not signed do not count, so a `traceparent` added afterwards does no harm; but a session
 * token must be signed. Any token will do: the emulator's account has no sessions.
 * @returns why the request is refused; `null` when the signature is good
 */
export async function refusalOf(
  request: SignedParts,
  service: string,
  nowMs: number,
  body: Uint8Array = new Uint8Array(),
): Promise<Refusal | null> {
  const claim = readClaim(request);
  if ('code' in claim) return claim;
  if (claim.accessKeyId !== emulatorCredentials.accessKeyId) {
    return {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The AWS Access Key Id you provided does not exist in our records.',
    };
  }
  if (claim.region !== emulatorRegion || claim.service !== service) {
    return malformed(claim.place, `expecting ${emulatorRegion}/${service} as region and service`);
  }
  const untimely = untimelyOf(claim, nowMs - claim.signedAtMs);
  if (untimely !== null) return untimely;
  const token = request.headers['x-amz-security-token'];
  if (token !== undefined && !claim.signedHeaders.includes('x-amz-security-token')) {
    return {
      status: 403,
      code: 'HeadersNotSigned',
      message: 'There were headers present which were not signed',
    };
  }
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const payloadHash = signedPayloadHash(service, claim, bodyHash);
  const expected = await new Resigner(service).signatureOf(request, claim, payloadHash);
  if (sameText(expected, claim.signature)) return payloadRefusal(payloadHash, bodyHash);
  return {
    status: 403,
    code: 'SignatureDoesNotMatch',
    message: 'The request signature we calculated does not match the signature you provided.',
  };
}

const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Only S3 believes what a client says of its body, until it has it; the others know by themselves. */
function signedPayloadHash(service: string, { place, payloadHash }: Claim, bodyHash: string): string {
  if (service !== 's3') return bodyHash;
  return payloadHash ?? (place === 'query' ? unsignedPayload : bodyHash);
}

/** What a good signature does not make good: a body other than the one that was signed. */
function payloadRefusal(signedHash: string, bodyHash: string): Refusal | null {
  if (signedHash === unsignedPayload || signedHash === bodyHash) return null;
  if (signedHash.startsWith('STREAMING-')) {
    return {
      status: 501,
      code: 'NotImplemented',
      message: 'The emulator does not take bodies in signed chunks',
    };
  }
  return {
    status: 400,
    code: 'XAmzContentSHA256Mismatch',
    message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
  };
}

function untimelyOf({ expiresSeconds }: Claim, ageMs: number): Refusal | null {
  if (expiresSeconds === null) {
    if (Math.abs(ageMs) <= allowedSkewMs) return null;
    return {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
    };
  }
  if (ageMs < -allowedSkewMs) {
    return { status: 403, code: 'RequestExpired', message: 'Request is not yet valid' };
  }
  return ageMs > expiresSeconds * 1000
    ? { status: 403, code: 'RequestExpired', message: 'Request has expired' }
    : null;
}

/** The SDK's own canonical request and string to sign, for a request that is signed already. */
class Resigner extends SignatureV4Base {
  constructor(service: string) {
    super({
      service,
      region: emulatorRegion,
      credentials: emulatorCredentials,
      sha256: Sha256,
      // S3 signs the path as it is; every other service encodes it once more.
      uriEscapePath: service !== 's3',
    });
  }

  async signatureOf(request: SignedParts, claim: Claim, payloadHash: string): Promise<string> {
    const signed = new Set(claim.signedHeaders);
    const headers = Object.fromEntries([...signed].map((name) => [name, request.headers[name] ?? '']));
    const canonical = this.createCanonicalRequest(
      {
        method: request.method,
        path: request.path,
        headers,
        query: bag(request.query),
        protocol: 'http:',
        hostname: '',
      },
      getCanonicalHeaders({ headers, method: '', path: '', protocol: '', hostname: '' }, undefined, signed),
      payloadHash,
    );
    const { shortDate, region, service } = claim;
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

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
