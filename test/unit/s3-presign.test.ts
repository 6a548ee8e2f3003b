import { afterEach, expect, it, vi } from 'vitest';
import { openS3Signer } from '../../src/aws/s3-presign.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';

/** What AWS takes at most: a week (S3 User Guide, "Sharing objects with presigned URLs"). */
const mostSeconds = 7 * 24 * 3600;

afterEach(() => vi.unstubAllEnvs());

it('a presigned URL outlives the longest run that can be allowed', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', emulatorCredentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', emulatorCredentials.secretAccessKey);
  const signer = openS3Signer({ region: 'us-east-1', endpoint: null, sockets: 1, attempts: 1 });
  const signed = await signer.sign({ bucket: 'a-bucket', key: 'a-key', bytes: null, etag: null });
  signer.close();
  const seconds = Number(new URL(signed.url).searchParams.get('X-Amz-Expires'));
  expect(seconds).toBeLessThanOrEqual(mostSeconds);
  // Not even one of half its time can be.
  const half = String((seconds * 1000) / 2 + 1);
  expect(() => readConfig({ RUN_TIMEOUT_MS: half })).toThrow(ConfigError);
});
