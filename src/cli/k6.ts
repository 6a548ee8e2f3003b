import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What the scripts were written for and are tested with. */
export const k6Version = '2.2.0';

/**
 * The k6 at hand: `K6` in the environment, else `k6` on the `PATH`, else the one that the end-to-end tests built into
 * their cache.
 * @throws Error that says where to get one
 */
export async function findK6(environment: NodeJS.ProcessEnv): Promise<string> {
  const { K6: given = '', PATH: path = '', XDG_CACHE_HOME: cache = '' } = environment;
  if (given !== '') {
    if (await isExecutable(given)) return given;
    throw new Error(`K6: "${given}" is not valid; expected the path of k6.`);
  }
  const candidates = [
    ...path
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, 'k6')),
    join(cache || join(homedir(), '.cache'), 'fanout-bench', 'bin', `k6-${k6Version}`),
  ];
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate;
  throw new Error(
    `There is no k6 on the PATH. Install k6 ${k6Version} or newer (https://grafana.com/docs/k6/latest/set-up/install-k6/), or set K6 to its path.`,
  );
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
