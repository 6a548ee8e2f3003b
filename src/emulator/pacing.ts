import type { Frame } from './service.ts';

/**
 * Writes each frame when it is due, or at once when it is late. Every wait is for the planned instant itself, so that
 * neither slow writes nor inexact timers add up.
 * @param startMs when the frames' time began, as `performance.now()` tells it
 * @param write `false` when nobody listens any more; then nothing else is written
 * @returns whether all was written
 */
export async function play(
  frames: readonly Frame[],
  startMs: number,
  write: (bytes: Uint8Array) => boolean,
): Promise<boolean> {
  for (const { atMs, bytes } of frames) {
    await until(startMs + atMs);
    if (!write(bytes)) return false;
  }
  return true;
}

/** Never early: a timer may fire up to a millisecond before its time. */
export async function until(instantMs: number): Promise<void> {
  for (let leftMs = remaining(instantMs); leftMs > 0; leftMs = remaining(instantMs)) {
    const waitMs = Math.ceil(leftMs);
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
  }
}

function remaining(instantMs: number): number {
  return instantMs - performance.now();
}
