import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { BenchError } from '../errors.ts';
import type { Warning } from '../record/plan.ts';
import type { ClientSettings } from './client.ts';
import { openS3Client } from './s3-client.ts';
import { sdkFailure } from './sdk-failure.ts';
import type { S3Object } from './s3-object.ts';
import type { TargetSettings } from './target.ts';

/**
 * The objects that `count` tasks fetch: the configured keys, else the first ones under the prefix, in the order of
 * the listing. When there are fewer than tasks they are used again, with the warning `keys_reused`.
 *
 * @throws BenchError `no_objects`; whatever the SDK throws when the listing fails.
 */
export async function findObjects(
  { s3 }: TargetSettings,
  settings: ClientSettings,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly objects: readonly S3Object[]; readonly warnings: readonly Warning[] }> {
  const bucket = s3.bucket ?? '';
  const found =
    s3.keys?.map((key) => ({ bucket, key, bytes: null, etag: null })) ??
    (await listObjects(bucket, s3.prefix, settings, count, signal));
  if (found.length === 0) {
    throw new BenchError(
      'no_objects',
      `The bucket ${bucket} has no objects under the prefix "${s3.prefix}". Upload some, or set S3_KEYS or S3_PREFIX to name others.`,
    );
  }
  const objects = Array.from({ length: count }, (_, index) => found[index % found.length]).filter(
    (object) => object !== undefined,
  );
  const reused = count > found.length;
  return {
    objects,
    warnings: reused
      ? [{ code: 'keys_reused', message: `${count} tasks share ${found.length} objects.` }]
      : [],
  };
}

async function listObjects(
  bucket: string,
  prefix: string,
  settings: ClientSettings,
  count: number,
  abortSignal: AbortSignal,
): Promise<S3Object[]> {
  const client = openS3Client(settings);
  try {
    const objects: S3Object[] = [];
    let continuation: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: Math.min(1000, count - objects.length),
          ContinuationToken: continuation,
        }),
        { abortSignal },
      );
      for (const { Key: key, Size: bytes, ETag: etag } of page.Contents ?? []) {
        if (key === undefined || key.endsWith('/')) continue;
        objects.push({ bucket, key, bytes: bytes ?? null, etag: etag ?? null });
      }
      continuation = page.NextContinuationToken;
    } while (continuation !== undefined && objects.length < count);
    return objects;
  } catch (cause) {
    // Its own words could repeat what signed the request.
    const { error } = sdkFailure(cause, { service: 'S3', asked: 'ListObjectsV2', answerBegan: false });
    throw new Error(`Listing s3://${bucket}/${prefix} failed: ${error.message}`, { cause });
  } finally {
    client.destroy();
  }
}
