import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientName } from '../record/plan.ts';
import type { BundleFolder } from './executor.ts';

/** The built files under `folder`, laid out as the build writes them. */
export function bundlesIn(folder: string): BundleFolder {
  return {
    worker: (bundle, client) => join(folder, 'workers', workerFile(bundle, client)),
    isolateWorker: (client) => join(folder, 'workers', workerFile('isolate', client)),
    isolateSource: (bundle) => readFile(join(folder, 'isolates', `${bundle}.js`), 'utf8'),
  };
}

/** The file of a worker, by what it executes and what it sends with: `s3-presigned-undici.js`, `fib.js`. */
export function workerFile(bundle: string, client: ClientName | null): string {
  return client === null ? `${bundle}.js` : `${bundle}-${client}.js`;
}
