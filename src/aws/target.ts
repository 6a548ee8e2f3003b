import type { TargetName } from '../record/plan.ts';

/** Where the S3 workload finds its objects. */
export interface S3Settings {
  /** `null`: AWS's own endpoint of the region, virtual-hosted. A custom endpoint means path-style. */
  readonly endpoint: string | null;
  /** `null`: not configured. */
  readonly bucket: string | null;
  /** Object keys, as given; when `null` the first keys under `prefix` are listed. */
  readonly keys: readonly string[] | null;
  readonly prefix: string;
}

/** What the AWS workloads talk to. It holds no credentials: the SDK's provider chain finds those. */
export interface TargetSettings {
  readonly name: TargetName;
  readonly region: string;
  readonly s3: S3Settings;
}
