/**
 * Every instant of a run is read from `process.hrtime.bigint()`: one monotonic clock for all processes and
 * threads of a machine. To stay plain data (a bigint is no JSON) an instant travels as whole nanoseconds since
 * the run's origin, which a double holds exactly for 104 days.
 */

/** Whole nanoseconds since the run's origin. */
export type InstantNs = number;

/** What ties a run's instants to the monotonic clock and to wall-clock time. */
export interface ClockAnchor {
  /** `hrtime` is `process.hrtime.bigint()` of the machine that ran the tasks. */
  readonly name: 'hrtime';
  /** The clock's reading at the run's origin, in nanoseconds, as decimal digits. */
  readonly originNs: string;
  /** Unix time of the origin, in nanoseconds, as decimal digits. Span times are this plus an instant. */
  readonly epochOriginNs: string;
}

/** Reads the run's clock. */
export type Clock = () => InstantNs;

/** The clock of a run whose origin is `originNs` (decimal digits, as in {@link ClockAnchor}). */
export function clockFrom(originNs: string): Clock {
  const origin = BigInt(originNs);
  return () => Number(process.hrtime.bigint() - origin);
}

/** Milliseconds between two instants, or `null` where either is unknown. */
export function betweenMs(from: InstantNs | null, to: InstantNs | null): number | null {
  return from === null || to === null ? null : nsToMs(to - from);
}

/** To the microsecond: clocks of two processes agree no closer. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Milliseconds, with nanosecond digits, of a span of nanoseconds. */
export function nsToMs(ns: number): number {
  return ns / 1e6;
}
