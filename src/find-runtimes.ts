import { ConfigError, type Config } from './config.ts';
import { executableOf, probe, runtimesFolder, type Runtime } from './runner/runtimes.ts';

/**
 * The runtimes that the configuration names, with what each of them turns out to be able to do.
 * @throws ConfigError when one is not installed or can't be used
 */
export async function findRuntimes(
  { runtimes: names, runtimesFolder: given }: Pick<Config, 'runtimes' | 'runtimesFolder'>,
  distFolder: string,
): Promise<readonly Runtime[]> {
  const folder = runtimesFolder(given, distFolder);
  const found = await Promise.all(
    names.map(async (name) => ({ name, execPath: await executableOf(name, folder) })),
  );
  const missing = found.flatMap(({ name, execPath }) => (execPath === null ? [name] : []));
  if (missing.length > 0) {
    const verb = missing.length === 1 ? 'is' : 'are';
    throw new ConfigError([
      `RUNTIMES: ${missing.join(', ')} ${verb} not installed; to install: npm run runtimes -- ${missing.join(' ')}`,
    ]);
  }
  return Promise.all(
    found.flatMap(({ name, execPath }) => (execPath === null ? [] : [probed(name, execPath, distFolder)])),
  );
}

async function probed(...parameters: Parameters<typeof probe>): Promise<Runtime> {
  try {
    return await probe(...parameters);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`RUNTIMES: ${parameters[0]} can't be used: ${reason}`]);
  }
}
