import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { workloads } from '../../src/workloads/registry.ts';
import type { ProcessRow } from '../support/process-table.ts';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { startService, type RunningService } from '../support/service.ts';

/** `npm run load`, as it is built, with a k6 that only tells what it was started with. */
const script = join(import.meta.dirname, '../../dist/load.js');
const names = workloads.map(({ declaration }) => declaration.name);
const token = 'a-token-of-16-or-more-characters';

let folder: string;
let service: RunningService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-load-'));
  service = await startService({ BENCH_TOKEN: token });
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

describe('npm run load -- strategies', () => {
  it.each(names)('asks the catalogue for all that are possible with %s', async (workload) => {
    const { text } = await service.get('/workloads', { authorization: `Bearer ${token}` });
    const card = workloadsSchema.parse(JSON.parse(text)).workloads.find(({ name }) => name === workload);
    const possible = card?.strategies.filter((one) => one.possible).map(({ strategy }) => strategy);
    expect(await load(['strategies', '--workload', workload])).toEqual({
      exitCode: 0,
      out: `${workload}: ${possible?.join(',')}\n`,
      err: '',
    });
  });

  it('takes those that are named', async () => {
    const { out } = await load(['strategies', '--strategies', 'async,threads']);
    expect(out).toBe('fib: async,threads\n');
  });

  it('says that there is no such workload', async () => {
    const { exitCode, err } = await load(['strategies', '--workload', 'fob']);
    expect([exitCode, err]).toEqual([
      1,
      `WORKLOAD: "fob" is not valid; expected one of ${names.join(', ')}.\n`,
    ]);
  });

  it('says so too where strategies are named, and that there is no such strategy, before k6 starts', async () => {
    const named = ['strategies', '--strategies', 'async,sdk-async'];
    const noWorkload = await load([...named, '--workload', 'fob']);
    expect([noWorkload.exitCode, noWorkload.out]).toEqual([1, '']);
    expect(noWorkload.err).toMatch(/^WORKLOAD: "fob" is not valid; /u);
    const noStrategy = await load(named);
    expect([noStrategy.exitCode, noStrategy.out]).toEqual([1, '']);
    expect(noStrategy.err).toMatch(
      /^STRATEGIES: "sdk-async" is not valid; expected some of single, async, /u,
    );
  });

  it('says that nobody answers, or with what', async () => {
    const nobody = await load(['strategies', '--url', 'http://127.0.0.1:9']);
    expect([nobody.exitCode, nobody.err]).toEqual([1, 'No service answers at http://127.0.0.1:9.\n']);
    const refused = await load(['strategies'], 'not-the-token-that-there-is');
    expect([refused.exitCode, refused.err]).toEqual([1, `${service.url}/workloads answers 401.\n`]);
  });
});

describe('the progress of k6', () => {
  it('is left out where the summary is not for a terminal', async () => {
    const { out } = await load(['soak'], token, 'echo "$@"');
    expect(out).toMatch(/^run --quiet --no-usage-report \S+soak\.ts\n$/u);
  });

  // The one pseudo-terminal that every machine brings is `script` of util-linux; the one of macOS is another.
  it.runIf(process.platform === 'linux')('is shown on a terminal', async () => {
    const k6 = await fakeK6('echo "$@"');
    const command = `'${process.execPath}' '${script}' soak --url '${service.url}'`;
    const env = { PATH: process.env['PATH'], SHELL: '/bin/sh', K6: k6 };
    const { stdout } = await promisify(execFile)('script', ['-qefc', command, '/dev/null'], { env });
    expect(stdout).toMatch(/^run --no-usage-report \S+soak\.ts\r?\n$/u);
  });
});

describe('k6', () => {
  it('ends with the command, also one that is killed', async () => {
    const command = spawn(process.execPath, [script, '--url', service.url, 'soak'], {
      env: { PATH: process.env['PATH'], K6: await fakeK6('exec sleep 60'), BENCH_TOKEN: token },
      stdio: 'ignore',
    });
    const started = (): readonly ProcessRow[] => descendantsOf(command.pid ?? 0);
    await expect.poll(() => started().map(({ title }) => title)).toContain('sleep 60');
    const k6 = started();
    command.kill('SIGKILL');
    expect(await leftOverOf(k6)).toEqual([]);
  });
});

describe('an option', () => {
  const options = 'rate max-rate duration runs workload query strategies p95-ms vus summary'.split(' ');
  const scripts = join(import.meta.dirname, '../../deploy/k6');

  it.each(['smoke', 'load', 'stress', 'soak', 'strategies'])(
    'is taken by %s where its script reads it, else refused with those that are',
    async (test) => {
      const text = await readFile(join(scripts, `${test}.ts`), 'utf8');
      const reads = (option: string): boolean =>
        option === 'summary' ||
        text.includes(`('${variableOf(option)}',`) ||
        text.includes(`('${variableOf(option)}')`) ||
        (option === 'runs' && text.includes('runs(['));
      const idle = options.filter((option) => !reads(option));
      expect(idle.length).toBeGreaterThan(1);
      for (const option of idle) {
        const { exitCode, out, err } = await load([test, `--${option}`, '1']);
        const [first = ''] = err.split('\n', 1);
        expect([exitCode, out]).toEqual([2, '']);
        expect(first.startsWith(`${test} has no use for --${option}; it takes --`)).toBe(true);
        const named = first.split('; it takes ')[1]?.replace('.', '').split(', ');
        expect(named?.toSorted()).toEqual(
          [...options.filter(reads), 'url'].map((one) => `--${one}`).toSorted(),
        );
      }
    },
  );
});

function variableOf(option: string): string {
  return option.toUpperCase().replace('-', '_');
}

/** The path of a k6 that does this instead. */
async function fakeK6(command: string): Promise<string> {
  const file = join(folder, 'k6');
  await writeFile(file, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return file;
}

async function load(args: readonly string[], given = token, instead = 'echo "$WORKLOAD: $STRATEGIES"') {
  const k6 = await fakeK6(instead);
  const child = spawn(process.execPath, [script, '--url', service.url, ...args], {
    env: { PATH: process.env['PATH'], K6: k6, BENCH_TOKEN: given },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  const [exitCode] = await once(child, 'close');
  return { exitCode, out: out.join(''), err: err.join('') };
}
