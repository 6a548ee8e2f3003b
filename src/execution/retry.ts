import { setTimeout as sleep } from 'node:timers/promises';

/** The delays of the AWS SDKs' standard mode: full jitter under a limit that doubles from 100 ms to 20 s. */
const firstLimitMs = 100;
const longestLimitMs = 20_000;

/** How long to wait before attempt `next` (2 is the first retry): anything from 0 up to the limit. */
export function backoffMs(next: number, random: () => number = Math.random): number {
  return random() * Math.min(longestLimitMs, firstLimitMs * 2 ** (next - 2));
}

/**
 * Acts up to `attempts` times, until a result is not worth another try; gives the last result. One policy for every
 * client, whose own retries are off. Ends early when the signal fires.
 */
export async function retrying<Result>(
  attempts: number,
  signal: AbortSignal,
  act: () => Promise<Result>,
  isWorthAnother: (result: Result) => boolean,
): Promise<Result> {
  let result = await act();
  for (let next = 2; next <= attempts && isWorthAnother(result) && !signal.aborted; next += 1) {
    try {
      await sleep(backoffMs(next), undefined, { signal });
    } catch {
      // Nobody waits for it any more.
      return result;
    }
    result = await act();
  }
  return result;
}
