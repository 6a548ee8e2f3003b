import { createHash } from 'node:crypto';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ClientSettings } from './client.ts';
import { clientOptions } from './client-options.ts';
import type { S3Reader } from './s3-object.ts';
import { sdkFailure } from './sdk-failure.ts';

/** An S3 client whose defaults are made equal to the plain HTTP client's, as the workload's catalogue lists. */
export function openS3Client(settings: ClientSettings): S3Client {
  return new S3Client({
    ...clientOptions(settings),
    forcePathStyle: settings.endpoint !== null,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** What the `sdk` tasks of the s3 workload read with. */
export function openS3Reader(settings: ClientSettings): S3Reader {
  const client = openS3Client(settings);
  return {
    async read({ bucket, key }, abortSignal) {
      let answerBegan = false;
      try {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
        answerBegan = true;
        const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
        return {
          state: 'read',
          bytes: body.byteLength,
          md5: createHash('md5').update(body).digest('hex'),
          contentLength: answer.ContentLength ?? null,
          etag: answer.ETag,
          encryption: answer.ServerSideEncryption,
          customerKey: answer.SSECustomerAlgorithm,
        };
      } catch (error) {
        return sdkFailure(error, { service: 'S3', asked: key, answerBegan });
      }
    },
    close: () => client.destroy(),
  };
}
