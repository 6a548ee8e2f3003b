import type { TaskError } from '../record/record.ts';

/** One object to fetch, and what the listing says of it (`null` without a listing). */
export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number | null;
  /** With its quotes, as S3 writes it. */
  readonly etag: string | null;
}

/** An object that was read whole. */
export interface S3Read {
  readonly state: 'read';
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  readonly contentLength: number | null;
  readonly etag: string | undefined;
  readonly encryption: string | undefined;
  readonly customerKey: string | undefined;
}

/** The SDK's client, as the s3 workload uses it. */
export interface S3Reader {
  read(
    object: S3Object,
    signal: AbortSignal,
  ): Promise<S3Read | { readonly state: 'failed'; readonly error: TaskError; readonly retryable: boolean }>;
  /** Closes its sockets, those in use too. */
  close(): void;
}
