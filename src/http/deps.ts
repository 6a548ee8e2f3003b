import type { RunArchive } from '../bench/archive.ts';
import type { Bench } from '../bench/bench.ts';
import type { Surroundings } from './comparison/view.ts';
import type { World } from '../bench/world.ts';
import type { ErrorCode } from '../errors.ts';

export interface HttpMetrics {
  /** All metrics in Prometheus's text format 0.0.4. */
  text(): Promise<string>;
  /** Counts a request for a run or comparison that was refused before anything ran. */
  rejected(code: ErrorCode): void;
}

/** What HTTP is built on. */
export interface HttpDeps {
  readonly world: World;
  readonly bench: Bench;
  readonly archive: RunArchive;
  readonly metrics: HttpMetrics;
  readonly traceUrlTemplate: string;
  /** Hosts that requests may name beside loopback ones. */
  readonly allowedHosts: readonly string[];
  /** Origins whose pages may ask and read the answers. */
  readonly corsOrigins: readonly string[];
  /** Requests a minute that one client may make; `null`: any number. */
  readonly rateLimitPerMinute: number | null;
  /** `null`: no token is asked for. */
  readonly benchToken: string | null;
  readonly surroundings: Surroundings;
  /** The service's version. */
  readonly version: string;
  /** Hears of errors that are nobody's fault but the service's. */
  readonly reportFault: (error: unknown) => void;
}
