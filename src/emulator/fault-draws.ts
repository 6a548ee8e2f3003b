import { createHash } from 'node:crypto';
import { faultFor, isFor, type Fault, type FaultKind } from './faults.ts';
import { uniformDraw } from './latency.ts';

/** What a fault is decided by. */
export interface Request {
  readonly operation: string;
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** The faults that mean something to its service. */
  readonly kinds: readonly FaultKind[];
}

/**
 * Decides request by request what goes wrong. A fault with a percentage is drawn by seed, kind, operation, key and how
 * often that operation was asked for that key before: so repeats of one request differ, and the next emulator with
 * that seed, asked the same in the same order, fails the same ones.
 */
export function createFaultDraws(
  faults: readonly Fault[],
  seed: number,
): (request: Request) => FaultKind | null {
  const counts = new Map<string, number>();
  const countBefore = ({ operation, key }: Request): number => {
    // A key may be a prompt of any length.
    const name = createHash('sha256')
      .update(JSON.stringify([operation, key]))
      .digest('base64');
    const before = counts.get(name) ?? 0;
    counts.set(name, before + 1);
    return before;
  };
  return (request) => {
    const { operation, key, attempt, kinds } = request;
    const candidates = faults.filter((fault) => kinds.includes(fault.kind) && isFor(fault, key));
    // Only what is drawn has to be counted.
    const before = candidates.some(({ percent }) => percent < 100) ? countBefore(request) : 0;
    return faultFor(candidates, key, ({ kind, percent, attempts }) => {
      if (attempts !== null && attempt > attempts) return false;
      return percent === 100 || uniformDraw([seed, kind, operation, key, before]) * 100 < percent;
    });
  };
}
