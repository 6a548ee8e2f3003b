import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface PackageInfo {
  readonly version: string;
  /** Of the service, and of the packages whose work a run measures. */
  readonly measuredVersions: Readonly<Record<string, string>>;
}

const measured = [
  '@aws-sdk/client-bedrock-runtime',
  '@aws-sdk/client-s3',
  '@aws-sdk/client-sts',
  'got',
  'isolated-vm',
  'undici',
  'workerpool',
];

const schema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

/** What package.json says of the service that was built into `distFolder`. */
export function readPackage(distFolder: string): PackageInfo {
  const file = join(distFolder, '../package.json');
  const { version, dependencies } = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const versions = measured.flatMap((name) => {
    const pinned = dependencies[name];
    return pinned === undefined ? [] : [[name, pinned]];
  });
  return { version, measuredVersions: { 'fanout-bench': version, ...Object.fromEntries(versions) } };
}
