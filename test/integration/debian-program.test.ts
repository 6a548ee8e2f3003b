import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { debianProgram } from '../support/real-servers-debian.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-debian-'));
  await mkdir(join(folder, 'bin'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${env['PATH']}`);
  // An apt that tells what it is asked for, and knows packages by its lists alone.
  await tool(
    'apt-get',
    `echo "$1" >>"${folder}/asked"
case "$1" in
  update) touch "${folder}/lists" ;;
  download) [ -e "${folder}/lists" ] || { echo "E: Unable to locate package $2" >&2; exit 100; }; touch "$2.deb" ;;
esac`,
  );
  await tool(
    'dpkg-deb',
    'mkdir -p usr/bin && echo unpacked >usr/bin/prometheus && chmod +x usr/bin/prometheus',
  );
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('a program of a Debian package', () => {
  it("is fetched where apt's lists are empty, and once", async () => {
    await tool('id', 'echo 0');
    const program = await debianProgram('prometheus', 'prometheus');
    expect(await readFile(program, 'utf8')).toBe('unpacked\n');
    expect(await debianProgram('prometheus', 'prometheus')).toBe(program);
    expect(await asked()).toEqual(['update', 'download']);
  });

  it('is fetched by the lists that are there where they may not be renewed', async () => {
    await tool('id', 'echo 1000');
    await writeFile(join(folder, 'lists'), '');
    await debianProgram('prometheus', 'prometheus');
    expect(await asked()).toEqual(['download']);
  });

  it('is said to be missing, with what apt says, where apt does not know it', async () => {
    await tool('id', 'echo 1000');
    const refused: unknown = await debianProgram('prometheus', 'prometheus').catch((error: unknown) => error);
    expect(String(refused)).toContain('Put prometheus there');
    expect(String(refused instanceof Error && refused.cause)).toContain(
      'Unable to locate package prometheus',
    );
  });
});

async function asked(): Promise<string[]> {
  return (await readFile(join(folder, 'asked'), 'utf8')).trimEnd().split('\n');
}

async function tool(name: string, lines: string): Promise<void> {
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
}
