import { createHash } from 'node:crypto';
import type { StoredObject } from './objects.ts';

/** Where objects can be put: `scratch/…`. They are kept in memory, the last 100 of them, and never listed. */
export interface Scratch {
  put(key: string, body: Uint8Array): StoredObject;
  get(key: string): StoredObject | undefined;
}

export function isScratch(key: string): boolean {
  return key.startsWith('scratch/') && key.length > 'scratch/'.length;
}

const maxObjects = 100;

export function createScratch(): Scratch {
  const objects = new Map<string, StoredObject>();
  return {
    put(key, body) {
      const object = { key, body, md5: createHash('md5').update(body).digest('hex') };
      // A map keeps the order of its first sets: what is put again is the newest.
      objects.delete(key);
      objects.set(key, object);
      const [oldest] = objects.keys();
      if (objects.size > maxObjects && oldest !== undefined) objects.delete(oldest);
      return object;
    },
    get: (key) => objects.get(key),
  };
}
