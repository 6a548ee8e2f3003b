import type { TargetName } from '../record/plan.ts';

/** A service that workloads talk to through an endpoint of its own. */
export type ServiceName = 's3' | 'bedrock' | 'sts';

/** Where the S3 workload finds its objects. */
export interface S3Settings {
  /** `null`: not configured. */
  readonly bucket: string | null;
  /** Object keys, as given; when `null` the first keys under `prefix` are listed. */
  readonly keys: readonly string[] | null;
  readonly prefix: string;
}

/** What the workloads talk to. It holds no credentials: the SDK's provider chain finds those. */
export interface TargetSettings {
  readonly name: TargetName;
  readonly region: string;
  /** By service; `null`: AWS's own endpoint of the region (for S3 virtual-hosted; a custom one means path-style). */
  readonly endpoints: Readonly<Record<ServiceName, string | null>>;
  readonly s3: S3Settings;
  readonly bedrock: {
    /** `null`: not configured. */
    readonly modelId: string | null;
  };
  readonly http: {
    /** The pages to fetch; `null`: not configured. */
    readonly urls: readonly string[] | null;
  };
}
