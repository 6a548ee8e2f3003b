import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** What package.json, beside the folder that the build wrote, says of the service. */
const schema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });
const file = schema.parse(JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')));

export const { version } = file;

/** Packages whose work a run measures. */
const measured = [
  '@aws-sdk/client-bedrock-runtime',
  '@aws-sdk/client-s3',
  '@aws-sdk/client-sts',
  'got',
  'isolated-vm',
  'undici',
  'workerpool',
];

export const measuredVersions: Readonly<Record<string, string>> = {
  'fanout-bench': version,
  ...Object.fromEntries(
    measured.flatMap((name) =>
      file.dependencies[name] === undefined ? [] : [[name, file.dependencies[name]]],
    ),
  ),
};
