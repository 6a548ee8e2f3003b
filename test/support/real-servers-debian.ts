import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './real-servers-binary.ts';

const run = promisify(execFile);

/**
 * The path of a program of a Debian package, `/usr/bin/<program>` in it: fetched, without installing anything, if the
 * cache lacks it. Which version it is, the machine's release of Debian or Ubuntu decides. Throws, saying what to do,
 * where there is no such package.
 */
export async function debianProgram(packageName: string, program: string): Promise<string> {
  const folder = cacheFolder();
  const binary = join(folder, `${program}-debian`);
  const there = await access(binary, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (there) return binary;
  await mkdir(folder, { recursive: true });
  const unpacked = await mkdtemp(join(folder, 'unpacking-'));
  try {
    await run('sh', ['-c', fetchAndUnpack, 'sh', packageName], { cwd: unpacked });
    await rename(join(unpacked, 'usr/bin', program), binary);
  } catch (cause) {
    const remedy = `Put ${program} there, or run this where apt knows the package ${packageName}.`;
    throw new Error(`There is no ${binary}, and it could not be fetched. ${remedy}`, { cause });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
  return binary;
}

/** Without lists apt knows no package, and old ones name files that are gone. Root alone may renew them. */
const fetchAndUnpack = `
if [ "$(id -u)" -eq 0 ]; then apt-get update; fi
apt-get download "$1" && dpkg-deb -x ./*.deb .
`;
