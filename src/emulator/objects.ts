import { createHash } from 'node:crypto';
import { emulatorPrefix } from './credentials.ts';

export interface StoredObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** Hex. */
  readonly md5: string;
}

const objectBytes = 300_000;
const objectCount = 10;

/** Ten JPEG-like objects of 300 kB, the same on every machine: `photos/0.jpg` … `photos/9.jpg`. */
export function makeObjects(): ReadonlyMap<string, StoredObject> {
  return new Map(
    Array.from({ length: objectCount }, (_, index) => {
      const key = `${emulatorPrefix}${index}.jpg`;
      const body = jpegLike(key);
      return [key, { key, body, md5: createHash('md5').update(body).digest('hex') }];
    }),
  );
}

/** Start of image, a JFIF header, bytes that don't compress, end of image. */
function jpegLike(seed: string): Uint8Array {
  const header = Uint8Array.of(
    0xff,
    0xd8,
    0xff,
    0xe0,
    0,
    16,
    0x4a,
    0x46,
    0x49,
    0x46,
    0,
    1,
    1,
    0,
    0,
    1,
    0,
    1,
    0,
    0,
  );
  const noise = createHash('shake256', { outputLength: objectBytes - header.length - 2 })
    .update(seed)
    .digest();
  return Buffer.concat([header, noise, Uint8Array.of(0xff, 0xd9)]);
}
