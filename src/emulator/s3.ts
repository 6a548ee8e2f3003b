import { randomBytes } from 'node:crypto';
import { semantic } from '../../otel/names.ts';
import { emulatorBucket } from './credentials.ts';
import { commonFaults } from './faults.ts';
import { makeObjects, type StoredObject } from './objects.ts';
import type { Problem } from './problems.ts';
import { createScratch, isScratch } from './scratch.ts';
import type { EmulatedAnswer, EmulatedRequest, EmulatedService } from './service.ts';
import { element, xmlDocument } from './xml.ts';

/** S3, path-style: GetObject, HeadObject and ListObjectsV2 on one bucket, and PutObject to scratch keys. */
export function emulateS3(): EmulatedService {
  const objects = makeObjects();
  const scratch = createScratch();

  function answer(
    operation: Operation,
    bucket: string,
    key: string,
    { query, body }: EmulatedRequest,
  ): EmulatedAnswer {
    if (bucket !== emulatorBucket) {
      return error(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
    }
    if (operation === 'ListObjectsV2') return list([...objects.values()], query);
    if (operation === 'PutObject') return stored(scratch.put(key, body), new Uint8Array());
    const object = objects.get(key) ?? scratch.get(key);
    if (object === undefined) {
      return error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
    }
    return stored(object, object.body, { 'content-type': contentType(key), 'last-modified': lastModified });
  }

  return {
    signingName: 's3',
    faults: commonFaults,
    // What is for nobody else: any path may be a bucket.
    takes: () => true,
    identify(request) {
      const { method, path, query } = request;
      const [bucket = '', ...rest] = path.slice(1).split('/').map(decode);
      const key = rest.join('/');
      const operation = operationOf(method, key, query);
      if (operation === null) return null;
      return {
        operation,
        family: operation,
        key: operation === 'ListObjectsV2' ? `${bucket}?list` : key,
        attributes: {
          [semantic.rpcMethod]: `S3/${operation}`,
          [semantic.s3Bucket]: bucket,
          ...(key !== '' && { [semantic.s3Key]: key }),
        },
        answer: () => answer(operation, bucket, key, request),
      };
    },
    refuse: ({ status, code, message }) => error(status, ownCode(code), message),
  };
}

type Operation = 'GetObject' | 'HeadObject' | 'ListObjectsV2' | 'PutObject';

const lastModified = 'Thu, 01 Jan 2026 00:00:00 GMT';

function operationOf(method: string, key: string, query: URLSearchParams): Operation | null {
  if (method === 'GET' && key === '') return query.get('list-type') === '2' ? 'ListObjectsV2' : null;
  if (key === '') return null;
  if (method === 'GET') return 'GetObject';
  if (method === 'PUT' && isScratch(key)) return 'PutObject';
  return method === 'HEAD' ? 'HeadObject' : null;
}

function contentType(key: string): string {
  return isScratch(key) ? 'application/octet-stream' : 'image/jpeg';
}

function stored(
  { md5 }: StoredObject,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): EmulatedAnswer {
  const told = { ...headers, etag: `"${md5}"`, 'x-amz-request-id': newRequestId() };
  return { status: 200, headers: told, body, readyMs: null };
}

/** S3 has one code for several reasons. */
function ownCode(code: Problem['code']): string {
  return code === 'RequestExpired' || code === 'HeadersNotSigned' ? 'AccessDenied' : code;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoded text: then it names itself.
    return segment;
  }
}

function list(objects: readonly StoredObject[], query: URLSearchParams): EmulatedAnswer {
  const prefix = query.get('prefix') ?? '';
  const asked = query.get('max-keys') ?? '1000';
  if (!/^\d{1,9}$/.test(asked)) {
    return error(400, 'InvalidArgument', 'Provided max-keys not an integer or within integer range');
  }
  const maxKeys = Math.min(1000, Number(asked));
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const matching = objects.filter(({ key }) => key.startsWith(prefix) && key > after);
  const page = matching.slice(0, maxKeys);
  // As S3 has it, nothing is left out of a page that was to hold nothing.
  const truncated = maxKeys > 0 && matching.length > page.length;
  const last = page.at(-1)?.key;
  return xml(
    200,
    element('ListBucketResult', [
      element('Name', emulatorBucket),
      element('Prefix', prefix),
      element('KeyCount', String(page.length)),
      element('MaxKeys', String(maxKeys)),
      element('IsTruncated', String(truncated)),
      ...(truncated && last !== undefined ? [element('NextContinuationToken', last)] : []),
      ...page.map(({ key, body, md5 }) =>
        element('Contents', [
          element('Key', key),
          element('LastModified', '2026-01-01T00:00:00.000Z'),
          element('ETag', `"${md5}"`),
          element('Size', String(body.byteLength)),
          element('StorageClass', 'STANDARD'),
        ]),
      ),
    ]),
  );
}

/** `details`: what S3 tells beside, such as `Key`. */
function error(
  status: number,
  code: string,
  message: string,
  details: Readonly<Record<string, string>> = {},
): EmulatedAnswer {
  const requestId = newRequestId();
  const parts = { Code: code, Message: message, ...details, RequestId: requestId };
  const elements = Object.entries(parts).map(([name, text]) => element(name, text));
  return xml(status, element('Error', elements), requestId);
}

function xml(status: number, root: string, requestId = newRequestId()): EmulatedAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body: xmlDocument(root),
    readyMs: null,
  };
}

/** Of S3's form: 16 digits and capitals. */
function newRequestId(): string {
  return randomBytes(8).toString('hex').toUpperCase();
}
