import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Every JavaScript runtime that a run can ask for, the default first. */
export const runtimeNames = ['node26', 'node24', 'node22'] as const;

export type RuntimeName = (typeof runtimeNames)[number];

export function isRuntimeName(name: string): name is RuntimeName {
  return runtimeNames.some((known) => known === name);
}

/** A runtime that is installed, and what it turned out to be able to do. */
export interface Runtime {
  readonly name: RuntimeName;
  readonly version: string;
  readonly execPath: string;
  /** Why nothing can run in an isolate; `null` where it can. */
  readonly noIsolates: string | null;
}

/** The runtime that executes this very code: it needs no installation. */
export function isOwn(name: RuntimeName): boolean {
  return name === `node${majorOf(process.versions.node)}`;
}

/** Where `npm run runtimes` puts runtimes. @param given the user's choice, relative to the working directory */
export function runtimesFolder(given: string | null, distFolder: string): string {
  return given === null ? join(distFolder, '../.runtimes') : resolve(given);
}

/** The executable of a runtime; `null` where it is not installed. @param folder that `npm run runtimes` fills */
export async function executableOf(name: RuntimeName, folder: string): Promise<string | null> {
  if (isOwn(name)) return process.execPath;
  const file = join(folder, 'node_modules', name, 'bin/node');
  return access(file, constants.X_OK).then(
    () => file,
    () => null,
  );
}

/** What the probe prints. */
const probed = z.object({
  version: z.string(),
  /** Decimal digits. */
  hrtimeNs: z.string(),
  noIsolates: z.string().nullable(),
});
export type Probed = z.infer<typeof probed>;

const probeLimitMs = 15_000;

/**
 * Asks a runtime who it is and what it can do, by starting it once.
 * @throws Error when it does not start, is of another version than its name says, or has another clock than this process
 */
export async function probe(name: RuntimeName, execPath: string, distFolder: string): Promise<Runtime> {
  const beforeNs = process.hrtime.bigint();
  const { stdout } = await run(execPath, ['--no-node-snapshot', join(distFolder, 'probe.js')], {
    env: {},
    timeout: probeLimitMs,
  });
  const afterNs = process.hrtime.bigint();
  const { version, hrtimeNs, noIsolates } = probed.parse(JSON.parse(stdout));
  if (name !== `node${majorOf(version)}`) throw new Error(`${execPath} is Node ${version} and not ${name}`);
  const readNs = BigInt(hrtimeNs);
  if (readNs < beforeNs || readNs > afterNs)
    throw new Error(`${name} reads another clock than Node ${process.versions.node}`);
  const reason = noIsolates === null ? null : `isolated-vm does not work in Node ${version}: ${noIsolates}`;
  return { name, version, execPath, noIsolates: reason };
}

const run = promisify(execFile);

function majorOf(version: string): string {
  return version.split('.', 1)[0] ?? version;
}
