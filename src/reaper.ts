import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Ends the guard without harm to the group. */
export type Dismiss = () => void;

/**
 * Ends a process group when this process is gone, however it went: a shell outside the group waits for its
 * standard input to close, which the kernel does when this process ends. A busy loop in the group can't prevent it,
 * and a worker carries nothing for it.
 *
 * @param signal `TERM` for what ends by itself all that it has begun
 */
export async function guardGroup(groupId: number, signal: 'KILL' | 'TERM' = 'KILL'): Promise<Dismiss> {
  const guard = spawn(
    '/bin/sh',
    ['-c', 'read -r _ || kill -s "$2" -- "-$1"', 'fanout-bench reaper', String(groupId), signal],
    {
      argv0: 'fanout-bench reaper',
      detached: true,
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  guard.unref();
  await once(guard, 'spawn');
  return () => {
    // A guard that ended by itself has no one to hear it.
    guard.stdin.on('error', () => guard.stdin.destroy());
    guard.stdin.end('\n');
  };
}
