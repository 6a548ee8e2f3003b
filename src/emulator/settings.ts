import type { Fault } from './faults.ts';
import type { LatencyModel } from './latency.ts';

/** What the emulator's process is told when it starts. */
export interface EmulatorSettings extends LatencyModel {
  /** 0: any free port. */
  readonly port: number;
  readonly faults: readonly Fault[];
  /** Whether it continues traces with spans of its own. */
  readonly tracing: boolean;
}

/** What it says once it listens on 127.0.0.1. */
export interface Listening {
  readonly type: 'listening';
  readonly port: number;
}
