import { createHash, createHmac } from 'node:crypto';

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * Whether the signature of a request is good, by the steps of "Create a signed AWS API request" (AWS IAM User Guide)
 * over node:crypto: none of the SDK's code takes part.
 */
export function isSignatureGood(wire: WireRequest, secretAccessKey: string): boolean {
  const [path = '', rawQuery = ''] = wire.target.split(/\?(.*)/su);
  const pairs =
    rawQuery === '' ? [] : rawQuery.split('&').map((pair) => (pair.includes('=') ? pair : `${pair}=`));
  const query = new URLSearchParams(rawQuery);
  const inQuery = query.has('X-Amz-Signature');
  const claim = inQuery ? fromQuery(query) : fromHeader(wire.headers);
  const [, date = '', region = '', service = ''] = claim.credential.split('/');
  const isS3 = service.startsWith('s3');
  const bodyHash = sha256(wire.body);
  const saidHash = wire.headers['x-amz-content-sha256'];
  if (saidHash !== undefined && saidHash !== bodyHash) return false;
  const canonical = [
    wire.method,
    isS3 ? path : path.split('/').map(encodeURIComponent).join('/'),
    pairs
      .filter((pair) => !pair.startsWith('X-Amz-Signature='))
      .toSorted(byBytes)
      .join('&'),
    ...claim.signedHeaders.map((name) => `${name}:${(wire.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders.join(';'),
    inQuery && isS3 ? 'UNSIGNED-PAYLOAD' : bodyHash,
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', claim.signedAt, scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, text).toString('hex') === claim.signature;
}

interface Claimed {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly signedAt: string;
}

function fromQuery(query: URLSearchParams): Claimed {
  const value = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
  return {
    credential: value('Credential'),
    signedHeaders: value('SignedHeaders').split(';'),
    signature: value('Signature'),
    signedAt: value('Date'),
  };
}

function fromHeader(headers: WireRequest['headers']): Claimed {
  const value = (name: string): string =>
    new RegExp(`${name}=([^, ]+)`).exec(headers['authorization'] ?? '')?.[1] ?? '';
  return {
    credential: value('Credential'),
    signedHeaders: value('SignedHeaders').split(';'),
    signature: value('Signature'),
    signedAt: headers['x-amz-date'] ?? '',
  };
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
