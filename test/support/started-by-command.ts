import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A service that a command for a shell started. */
export interface StartedByCommand {
  readonly url: string;
  /** As it stands in `localhost:8080`. */
  readonly port: string;
  /** Ends it and all that its command started. */
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');

/**
 * Runs a command as a user of the repository would, but on a free port, with `environment` beside what a shell must
 * have. Resolves when the service listens.
 * @throws Error with what it printed when it ends before
 */
export async function startByCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
): Promise<StartedByCommand> {
  const shell = spawn('bash', ['-c', command], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm does not pass a signal on to what it runs: the group gets it.
    detached: true,
  });
  const closed = once(shell, 'close');
  const printed: string[] = [];
  createInterface(shell.stderr).on('line', (line) => printed.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(shell.stdout).on('line', (line) => {
      printed.push(line);
      const listening = /"url":"(http:[^"]+)"/u.exec(line)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    void closed.then(() => reject(new Error(`${command} ended:\n${printed.join('\n')}`)));
  });
  return {
    url,
    port: new URL(url).port,
    async stop() {
      if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null)
        process.kill(-shell.pid, 'SIGTERM');
      await closed;
    },
  };
}
