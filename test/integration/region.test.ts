import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService } from '../support/service.ts';

/** With TARGET=aws the region is found as the SDK finds it. */
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
  file = join(folder, 'config');
  await writeFile(file, '[default]\nregion = eu-west-3\n[profile other]\nregion = ap-south-1\n');
});
afterAll(() => rm(folder, { recursive: true }));

/** What the service says it talks to. */
async function targetOf(environment: Readonly<Record<string, string>>): Promise<string> {
  const nowhere = {
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
  };
  const service = await startService({
    TARGET: 'aws',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...nowhere,
    ...environment,
  });
  const found = (): string => service.log.find((line) => line.includes('Target: ')) ?? '';
  await expect.poll(found).not.toBe('');
  await service.stop();
  return found();
}

describe('the region', () => {
  it.each([
    ['a variable', { AWS_REGION: 'us-west-2' }, 'us-west-2'],
    ['the default profile', {}, 'eu-west-3'],
    ['another profile', { AWS_PROFILE: 'other' }, 'ap-south-1'],
  ])('is that of %s', async (_, environment, region) => {
    expect(await targetOf({ AWS_CONFIG_FILE: file, ...environment })).toContain(`aws in ${region}`);
  });

  it('is us-east-1 where none is set anywhere', async () => {
    expect(await targetOf({})).toContain('aws in us-east-1');
  });
});
