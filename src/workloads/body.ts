import type { BodyRecord } from '../record/record.ts';

/** What a body ought to be, as far as its answer or a listing says. */
export interface ExpectedBody {
  /** `null`: not told. */
  readonly bytes: number | null;
  /** With its quotes, as the answer writes it. */
  readonly etag: string | null;
}

/** A body that was read, beside what it ought to be. An ETag that is no MD5 says nothing of it. */
export function bodyRecord(
  { bytes, md5 }: { readonly bytes: number; readonly md5: string },
  expected: ExpectedBody,
): BodyRecord {
  const expectedMd5 = /^"?([0-9a-f]{32})"?$/.exec(expected.etag ?? '')?.[1] ?? null;
  return { bytes, md5, expectedBytes: expected.bytes, expectedMd5 };
}

/** The length that an answer's headers promise; `null` where they don't. */
export function contentLength(headers: Readonly<Record<string, string>>): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
