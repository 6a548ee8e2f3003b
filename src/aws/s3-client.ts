import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { GetObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { ClientSettings } from './client.ts';
import type { S3Reader } from './s3-object.ts';
import { isTransient } from './transient.ts';
import { transportError } from './transport-error.ts';

/** An S3 client whose defaults are made equal to the plain HTTP client's, as the workload's catalogue lists. */
export function openS3Client({ region, endpoint, sockets }: ClientSettings): S3Client {
  return new S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    // One policy tries again for every client alike.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: sockets }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: sockets }),
    },
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
        if (error instanceof S3ServiceException) {
          const status = error.$metadata.httpStatusCode ?? 0;
          return {
            state: 'failed',
            retryable: isTransient(status, error.name),
            error: {
              code: 'upstream_error',
              message: `S3 answered ${status} ${error.name} for ${key}`,
              upstreamCode: error.name,
            },
          };
        }
        const cause = error instanceof Error ? error : new Error(String(error));
        if (answerBegan || 'code' in cause) return transportError(cause, answerBegan);
        // Nothing was sent: no credentials, say.
        const message = `the SDK could not ask for ${key}: ${cause.message}`;
        return {
          state: 'failed',
          retryable: false,
          error: { code: 'upstream_error', message, upstreamCode: cause.name },
        };
      }
    },
    close: () => client.destroy(),
  };
}
