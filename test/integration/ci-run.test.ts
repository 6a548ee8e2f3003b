import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** `.ci/run` itself, with an `npm` that only does as if: what it prints last, and how it ends. */
const script = join(import.meta.dirname, '../../.ci/run');

/** What a suite leaves behind, as `SummaryReporter` does: its line, if it came so far, and an exit code. */
interface Step {
  readonly counts: string | null;
  readonly exitCode: number;
}

const passing = (counts: string): Step => ({ counts, exitCode: 0 });
const good = {
  'npm ci': { counts: null, exitCode: 0 },
  'npm test': passing('120 passed, 0 failed'),
  'npm run test:e2e': passing('7 passed, 0 failed'),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-ci-'));
  await Promise.all([mkdir(join(folder, '.ci')), mkdir(join(folder, 'bin'))]);
  await copyFile(script, join(folder, '.ci/run'));
  // With these there is nothing to be installed.
  for (const tool of ['go', 'python3'])
    await writeFile(join(folder, 'bin', tool), '#!/bin/sh\n', { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true }));

describe('.ci/run', () => {
  it('takes its steps in order, and ends with the sum of all suites and with 0', async () => {
    const { taken, last, exitCode } = await run(good);
    expect(taken).toEqual(['npm ci', 'npm test', 'npm run test:e2e']);
    expect([last, exitCode]).toEqual(['127 passed, 0 failed', 0]);
  });

  it('says how many were skipped, where some were', async () => {
    const ended = await run({ ...good, 'npm test': passing('120 passed, 0 failed, 3 skipped') });
    expect([ended.last, ended.exitCode]).toEqual(['127 passed, 0 failed, 3 skipped', 0]);
  });

  it('fails on a failed test, and still takes the steps that follow', async () => {
    const ended = await run({ ...good, 'npm test': { counts: '118 passed, 2 failed', exitCode: 1 } });
    expect(ended.taken).toContain('npm run test:e2e');
    expect([ended.last, ended.exitCode]).toEqual(['125 passed, 2 failed', 1]);
  });

  it('fails on a failed test that its suite did not turn into an exit code', async () => {
    const ended = await run({ ...good, 'npm run test:e2e': { counts: '6 passed, 1 failed', exitCode: 0 } });
    expect([ended.last, ended.exitCode]).toEqual(['126 passed, 1 failed', 1]);
  });

  it('fails on a step that fails without a failed test', async () => {
    const ended = await run({ ...good, 'npm test': { counts: '120 passed, 0 failed', exitCode: 2 } });
    expect([ended.last, ended.exitCode]).toEqual(['127 passed, 1 failed', 1]);
  });

  it('fails on a step that fails before its suite ran: the lint, say', async () => {
    const ended = await run({ ...good, 'npm test': { counts: null, exitCode: 1 } });
    expect([ended.last, ended.exitCode]).toEqual(['7 passed, 1 failed', 1]);
    expect(ended.taken).toContain('npm run test:e2e');
  });

  it.each(['npm test', 'npm run test:e2e'])(
    'fails when %s ran nothing, though it ended with 0',
    async (step) => {
      const ended = await run({ ...good, [step]: { counts: null, exitCode: 0 } });
      const passed = step === 'npm test' ? 7 : 120;
      expect([ended.last, ended.exitCode]).toEqual([`${passed} passed, 1 failed`, 1]);
      expect(ended.complaints).toContain(`no tests ran: ${step}`);
    },
  );

  it('ends at once, as failed, where nothing could be installed', async () => {
    const ended = await run({ ...good, 'npm ci': { counts: null, exitCode: 7 } });
    expect(ended.taken).toEqual(['npm ci']);
    expect(ended.last).toBe('0 passed, 1 failed');
    expect(ended.exitCode).not.toBe(0);
  });
});

interface Ended {
  /** Commands, as they were given. */
  readonly taken: readonly string[];
  readonly last: string | undefined;
  readonly complaints: string;
  readonly exitCode: number | null;
}

async function run(steps: Readonly<Record<string, Step>>): Promise<Ended> {
  const cases = Object.entries(steps).map(([command, { counts, exitCode }]) => {
    const count = counts === null ? '' : `echo '${counts}' >>"$TEST_COUNTS_FILE"; `;
    return `'${command}') ${count}exit ${exitCode} ;;`;
  });
  const npm = ['#!/bin/sh', 'echo "taken: npm $*"', 'case "npm $*" in', ...cases, 'esac', 'exit 99', ''];
  await writeFile(join(folder, 'bin/npm'), npm.join('\n'), { mode: 0o755 });
  const { stdout, stderr, status } = spawnSync('bash', [join(folder, '.ci/run')], {
    encoding: 'utf8',
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, TMPDIR: folder },
  });
  return {
    taken: [...stdout.matchAll(/^taken: (.*)$/gmu)].map(([, command]) => command ?? ''),
    last: stdout.trimEnd().split('\n').at(-1),
    complaints: stderr,
    exitCode: status,
  };
}
