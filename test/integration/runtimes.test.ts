import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { findRuntimes } from '../../src/find-runtimes.ts';
import type { RuntimeName } from '../../src/runner/runtimes.ts';
import { distFolder } from '../support/run-on-runner.ts';
import { startService } from '../support/service.ts';

/** Where runtimes are looked for; what is in it, a test puts there. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-runtimes-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the runtime that executes the service', () => {
  it('needs no installation, and is asked what it can do', async () => {
    expect(await find('node26')).toEqual([
      { name: 'node26', version: process.versions.node, execPath: process.execPath, noIsolates: null },
    ]);
  });

  it('has no isolates where isolated-vm can not be loaded', async () => {
    // Beside a probe that stands elsewhere there are no packages.
    await copyFile(join(distFolder, 'probe.js'), join(folder, 'probe.js'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const [runtime] = await findRuntimes({ runtimes: ['node26'], runtimesFolder: folder }, folder);
    expect(runtime?.noIsolates).toMatch(/^isolated-vm does not work in Node 26\S+: .*isolated-vm/u);
  });
});

describe('the service does not start', () => {
  it('with a runtime that is not installed, and names the command that installs it', async () => {
    const starting = startService({ RUNTIMES: 'node26,node22,node24', RUNTIMES_FOLDER: folder });
    await expect(starting).rejects.toThrow(
      'The configuration is not valid:\n  RUNTIMES: node24, node22 are not installed; to install: npm run runtimes -- node24 node22',
    );
  });

  it('with a runtime that is another than it is called', async () => {
    await install('node22', (file) => symlink(process.execPath, file));
    await expect(find('node22')).rejects.toThrow(`is Node ${process.versions.node} and not node22`);
  });

  it('with a runtime whose clock is not that of the service', async () => {
    await install('node22', (file) => printing(file, { version: '22.0.0', hrtimeNs: '5', noIsolates: null }));
    const finding = find('node26', 'node22');
    await expect(finding).rejects.toThrow(ConfigError);
    await expect(finding).rejects.toThrow("RUNTIMES: node22 can't be used: node22 reads another clock");
  });

  it('with a runtime that fails', async () => {
    await install('node22', (file) => writeFile(file, '#!/bin/sh\nexit 3\n', { mode: 0o755 }));
    await expect(find('node22')).rejects.toThrow("RUNTIMES: node22 can't be used: ");
  });
});

describe('npm run runtimes', () => {
  it('leaves the runtime that executes it alone', async () => {
    expect(await runtimes('node26')).toEqual({
      code: 0,
      told: `node26 is there: ${process.versions.node}, which executes this\n`,
    });
  });

  it.each([
    [['node12'], 'There is no runtime "node12" to install.\n\n'],
    [['node22', 'node12'], 'There is no runtime "node12" to install.\n\n'],
    [[], ''],
  ])('says what is wrong, and explains itself, to whom asks for %j', async (names, wrong) => {
    const { code, told } = await runtimes(...names);
    expect(code).toBe(2);
    expect(told.split('Usage: npm run runtimes -- RUNTIME')[0]).toBe(wrong);
    expect(told).toContain('Usage: npm run runtimes -- RUNTIME');
  });
});

/** What the command prints and how it ends. */
async function runtimes(...names: readonly string[]): Promise<{ code: unknown; told: string }> {
  const command = join(distFolder, 'runtimes.js');
  // With no PATH there is no npm: what would install something fails.
  const options = { env: { RUNTIMES_FOLDER: folder } };
  return promisify(execFile)(process.execPath, [command, ...names], options).then(
    ({ stdout }) => ({ code: 0, told: stdout }),
    ({ code, stderr }) => ({ code, told: stderr }),
  );
}

function find(...names: readonly RuntimeName[]): ReturnType<typeof findRuntimes> {
  return findRuntimes({ runtimes: names, runtimesFolder: folder }, distFolder);
}

/** Puts a file where a runtime's executable is looked for. */
async function install(name: RuntimeName, put: (file: string) => Promise<void>): Promise<void> {
  const file = join(folder, 'node_modules', name, 'bin/node');
  await mkdir(dirname(file), { recursive: true });
  await put(file);
}

async function printing(file: string, told: object): Promise<void> {
  await writeFile(file, `#!/bin/sh\necho '${JSON.stringify(told)}'\n`, { mode: 0o755 });
}
