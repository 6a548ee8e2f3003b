import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFolder } from './executor.ts';

/** The built files under `folder`, laid out as the build writes them. */
export function bundlesIn(folder: string): BundleFolder {
  return {
    worker: (bundle) => join(folder, 'workers', `${bundle}.js`),
    isolateWorker: (bundle) => join(folder, 'workers', `isolate-${bundle}.js`),
    isolateSource: (bundle) => readFile(join(folder, 'isolates', `${bundle}.js`), 'utf8'),
  };
}
