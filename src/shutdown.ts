import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logging.ts';

/** How long each step may take: what is running has so long to end by itself. */
const stepLimitMs = 6_000;

/** Gives what `start` gives; when it throws, says why on standard error and ends the process with 1. */
export async function orExit<T>(start: () => T | Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/**
 * On SIGTERM or SIGINT takes the steps one after another and ends with 0; a second signal ends at once. Returns the steps:
 * none while the service starts, since what it has started ends with it.
 */
export function onSignal(log: Logger): Step[] {
  const steps: Step[] = [];
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info(`${signal}: shutting down`);
    process.exit((await takeSteps(log, steps)) ? 0 : 1);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
  return steps;
}

/** Something to do before the end. */
export type Step = () => unknown;

/**
 * Takes every step, in order: one that takes longer than `limitMs` is left behind, one that fails is logged. Resolves to
 * whether none failed.
 */
export async function takeSteps(
  log: Pick<Logger, 'error'>,
  steps: readonly Step[],
  limitMs = stepLimitMs,
): Promise<boolean> {
  let allDone = true;
  for (const step of steps) {
    const limit = new AbortController();
    const done = (async () => step())().catch((error: unknown) => {
      allDone = false;
      log.error({ err: error }, 'A part of the service did not shut down.');
    });
    await Promise.race([done, sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
  }
  return allDone;
}
