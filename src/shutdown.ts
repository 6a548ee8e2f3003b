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

/** On SIGTERM or SIGINT takes the steps one after another and ends with 0; a second signal ends at once. */
export function onSignal(log: Logger, steps: readonly (() => unknown)[]): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info(`${signal}: shutting down`);
    for (const step of steps) {
      const limit = new Promise((resolve) => setTimeout(resolve, stepLimitMs).unref());
      await Promise.race([step(), limit]);
    }
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}
