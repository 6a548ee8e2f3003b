import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/**
 * The folder of node22 and node24, installed as a user would unless they are there: `fanout-bench/runtimes` under
 * `XDG_CACHE_HOME`. Throws with what npm said where it can't be done.
 */
export async function installedRuntimes(): Promise<string> {
  const folder = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fanout-bench', 'runtimes');
  await installRuntimes('npm run runtimes -- node22 node24', folder);
  return folder;
}

/** Runs a command that installs runtimes, into this folder; gives what it prints. */
export async function installRuntimes(command: string, folder: string): Promise<string> {
  const options = { cwd: root, env: { ...env, RUNTIMES_FOLDER: folder } };
  return (await promisify(execFile)('bash', ['-c', command], options)).stdout;
}
