import type { EmulatedAnswer, EmulatedService } from './service.ts';
import { emulatorBucket } from './credentials.ts';
import { makeObjects, type StoredObject } from './objects.ts';
import { element, xmlDocument } from './xml.ts';

/** S3, path-style: GetObject, HeadObject and ListObjectsV2 on one bucket. */
export function emulateS3(): EmulatedService {
  const objects = makeObjects();
  return {
    name: 's3',
    identify({ method, path, query }) {
      const [bucket = '', ...rest] = path.slice(1).split('/').map(decode);
      const key = rest.join('/');
      const operation = operationOf(method, key, query);
      return operation === null ? null : { operation, key: key === '' ? `${bucket}?list` : key, bucket };
    },
    answer(request, { operation, key, bucket }) {
      if (bucket !== emulatorBucket) {
        return error(404, 'NoSuchBucket', 'The specified bucket does not exist', bucket);
      }
      if (operation === 'ListObjectsV2') return list([...objects.values()], request.query);
      const object = objects.get(key);
      if (object === undefined) return error(404, 'NoSuchKey', 'The specified key does not exist.', key);
      return {
        status: 200,
        headers: { 'content-type': 'image/jpeg', etag: `"${object.md5}"`, 'last-modified': lastModified },
        body: object.body,
      };
    },
    refuse: (status, code, message) => error(status, code, message, ''),
  };
}

const lastModified = 'Thu, 01 Jan 2026 00:00:00 GMT';

function operationOf(method: string, key: string, query: URLSearchParams): string | null {
  if (method === 'GET' && key === '') return query.get('list-type') === '2' ? 'ListObjectsV2' : null;
  if (key === '') return null;
  return { GET: 'GetObject', HEAD: 'HeadObject' }[method] ?? null;
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
  const maxKeys = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const matching = objects.filter(({ key }) => key.startsWith(prefix) && key > after);
  const page = matching.slice(0, maxKeys);
  const truncated = matching.length > page.length;
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

function error(status: number, code: string, message: string, resource: string): EmulatedAnswer {
  return xml(
    status,
    element('Error', [element('Code', code), element('Message', message), element('Resource', resource)]),
  );
}

function xml(status: number, root: string): EmulatedAnswer {
  return { status, headers: { 'content-type': 'application/xml' }, body: xmlDocument(root) };
}
