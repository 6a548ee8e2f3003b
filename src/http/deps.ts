import type { RunArchive } from '../bench/archive.ts';
import type { Bench } from '../bench/bench.ts';
import type { Surroundings } from './comparison/view.ts';
import type { World } from '../bench/world.ts';

/** What HTTP is built on. */
export interface HttpDeps {
  readonly world: World;
  readonly bench: Bench;
  readonly archive: RunArchive;
  readonly traceUrlTemplate: string;
  /** Hosts that requests may name beside loopback ones. */
  readonly allowedHosts: readonly string[];
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
