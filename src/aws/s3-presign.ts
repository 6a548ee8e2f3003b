import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ClientSettings, PlainRequest } from './client.ts';
import { openS3Client } from './s3-client.ts';
import type { S3Object } from './s3-object.ts';

/** Long enough for any run: RUN_TIMEOUT_MS and the wait for a slot together stay far below. */
const validForSeconds = 3600;

/** One signed GET an object, by the SDK's own presigner. Makes its client, as a user's code would. */
export async function presignGetObjects(
  objects: readonly S3Object[],
  settings: ClientSettings,
): Promise<readonly PlainRequest[]> {
  const client = openS3Client(settings);
  try {
    return await Promise.all(
      objects.map(async ({ bucket, key }) => ({
        method: 'GET' as const,
        url: await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), {
          expiresIn: validForSeconds,
        }),
        headers: {},
        body: null,
      })),
    );
  } finally {
    client.destroy();
  }
}
