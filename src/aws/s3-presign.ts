import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ClientSettings, Signer } from './client.ts';
import { openS3Client } from './s3-client.ts';
import type { S3Object } from './s3-object.ts';

/**
 * Twice as long as a run may take at most (RUN_TIMEOUT_MS), whose last request may be sent at its very end. AWS takes a
 * week; where the credentials are a session's, the URL is good no longer than they are.
 */
const validForSeconds = 2 * 3600;

/** Signs a GET an object, by the SDK's own presigner. */
export function openS3Signer(settings: ClientSettings): Signer<S3Object> {
  const client = openS3Client(settings);
  return {
    sign: async ({ bucket, key }) => ({
      method: 'GET',
      url: await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), {
        expiresIn: validForSeconds,
      }),
      headers: {},
      body: null,
    }),
    close: () => client.destroy(),
  };
}
