/**
 * Fires when this command is to end, by Ctrl+C or SIGTERM: once, so that a second one ends it at once. Not when its
 * terminal is closed, which `nohup` must be able to prevent.
 */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('Interrupted.')));
  process.once('SIGTERM', () => interrupted.abort(new Error('Ended.')));
  return interrupted.signal;
}
