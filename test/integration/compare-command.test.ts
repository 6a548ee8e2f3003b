import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import type { ProcessRow } from '../support/process-table.ts';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { startService, type RunningService } from '../support/service.ts';

/** `npm run compare`, as it is built. */
const script = join(import.meta.dirname, '../../dist/compare.js');
const quick = ['sleep', '--ms', '2', '--tasks', '2', '--rounds', '2', '--strategies', 'single,async'];

interface Ended {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  const [exitCode] = await once(child, 'close');
  return { exitCode, out: out.join(''), err: err.join('') };
}

describe('npm run compare with a service of its own', () => {
  it('prints the result alone, and ends the service', async () => {
    const child = start([...quick, '--format', 'json']);
    const ending = endOf(child);
    await expect
      .poll(() => descendantsOf(child.pid ?? 0).map(({ title }) => title), {
        timeout: 20_000,
        interval: 20,
      })
      .toContain('fanout-bench service');
    const started = descendantsOf(child.pid ?? 0);
    const { exitCode, out, err } = await ending;
    expect([exitCode, err]).toEqual([0, '']);
    const { comparison, cells } = comparisonSchema.parse(JSON.parse(out));
    expect(comparison).toMatchObject({
      workload: 'sleep',
      baseline: 'single',
      rounds: 2,
      stoppedBy: 'rounds',
    });
    expect(cells.map(({ params }) => params)).toMatchObject([{ ms: 2, tasks: 2 }]);
    expect(cells[0]?.results.map(({ samplesMs }) => samplesMs.length)).toEqual([2, 2]);
    expect(await leftOverOf(started)).toEqual([]);
  });

  it('says on standard error what the service warns of', async () => {
    const { err } = await endOf(
      start([...quick, '--format', 'csv'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }),
    );
    expect(err).toContain('AWS_ENDPOINT_URL is set but TARGET is emulator');
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['keeps its log quiet', { LOG_LEVEL: 'warn' }],
    ['prints its spans', { OTEL_TRACES_EXPORTER: 'console' }],
  ])('hears of a service that %s that it listens', async (_, environment) => {
    const { exitCode, out, err } = await endOf(start([...quick, '--format', 'json'], environment));
    expect([exitCode, err]).toEqual([0, '']);
    expect(comparisonSchema.parse(JSON.parse(out)).comparison.stoppedBy).toBe('rounds');
  });

  it('leaves no service behind when it dies', async () => {
    // What the service warns of is more than nobody takes.
    const child = start([...quick, '--rounds', '200'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    child.stderr?.destroy();
    const started = (): readonly ProcessRow[] => descendantsOf(child.pid ?? 0);
    await expect
      .poll(() => started().map(({ title }) => title), { timeout: 20_000, interval: 20 })
      .toContain('fanout-bench service');
    const service = started();
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).not.toBe(0);
    expect(await leftOverOf(service)).toEqual([]);
  });

  it.each(['SIGHUP', 'SIGKILL'] as const)('leaves no service behind when %s ends it', async (signal) => {
    const child = start(['sleep', '--ms', '200', '--rounds', '100', '--strategies', 'single,threads']);
    const started = (): readonly ProcessRow[] => descendantsOf(child.pid ?? 0);
    await expect
      .poll(() => started().map(({ title }) => title), { timeout: 20_000, interval: 20 })
      .toContain('fanout-bench runner');
    const service = started();
    child.kill(signal);
    expect(await leftOverOf(service)).toEqual([]);
  });

  it('says why where the service does not start', async () => {
    const { exitCode, out, err } = await endOf(start(quick, { MAX_TASKS: 'many' }));
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain('MAX_TASKS: "many" is not valid');
    expect(err).not.toContain('    at ');
  });

  it('ends the service and all it started when it is interrupted', async () => {
    const child = start(['sleep', '--ms', '200', '--rounds', '100', '--strategies', 'single,threads']);
    const ending = endOf(child);
    await expect
      .poll(
        () => descendantsOf(child.pid ?? 0).filter(({ title }) => title === 'fanout-bench runner').length,
        {
          timeout: 20_000,
        },
      )
      .toBeGreaterThan(0);
    const started = descendantsOf(child.pid ?? 0);
    child.kill('SIGINT');
    expect(await ending).toMatchObject({ exitCode: 1, out: '', err: 'Interrupted.\n' });
    expect(await leftOverOf(started)).toEqual([]);
  });
});

describe('npm run compare --url', () => {
  const token = 'a-token-of-16-or-more-characters';
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({ BENCH_TOKEN: token });
  });
  afterAll(() => service.stop());
  const ask = (args: readonly string[], environment = { BENCH_TOKEN: token }): Promise<Ended> =>
    endOf(start([...args, '--url', service.url], environment));

  it.each([
    ['text', /^strategy +median ms/mu],
    ['markdown', /^\| strategy \| median ms \|/mu],
    ['csv', /^comparison,workload,tasks,pool,join,runtime,ms,strategy,round,durationMs,fanOutMs,trace\r\n/u],
    ['json', /"speedupCi"/u],
  ])('prints %s', async (format, expected) => {
    const { exitCode, out, err } = await ask([...quick, '--format', format]);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toMatch(expected);
  });

  it('prints text where no format is asked for, and takes --name=value as well', async () => {
    const { exitCode, out } = await ask([
      'sleep',
      '--ms=1',
      '--rounds=1',
      '--tasks=1',
      '--strategies=single,async',
    ]);
    expect(exitCode).toBe(0);
    expect(out).toContain('Recommended: ');
  });

  it('tells what the service refuses in its words, with 2', async () => {
    const { exitCode, out, err } = await ask(['sleep', '--mss', '2', '--strategies', 'single,asinc']);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('did you mean "async"?');
    expect(err).toContain('mss');
    expect(err).toContain('Allowed:');
  });

  it('sends no token of nobody', async () => {
    const { exitCode, err } = await ask(quick, { BENCH_TOKEN: '' });
    expect(exitCode).toBe(2);
    expect(err).toMatch(/token/iu);
  });
});

describe('npm run compare', () => {
  it('explains itself', async () => {
    const { exitCode, out, err } = await endOf(start(['--help']));
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: npm run compare/u);
  });

  it.each([
    [[], ''],
    [['fib', 's3'], 'One workload at a time: fib, s3.\n\n'],
    [['fib', '--format', 'xml'], 'There is no format "xml". There are json, text, markdown, csv.\n\n'],
    [['fib', '--format'], '--format needs a value.\n\n'],
    [['fib', '--url'], '--url needs a value.\n\n'],
    [['fib', '--rounds'], '--rounds needs a value.\n\n'],
    [['fib', '--rounds', '--n', '5'], '--rounds needs a value.\n\n'],
    [
      ['fib', '--url', 'localhost:8080'],
      '--url: "localhost:8080" is no URL of a service, such as http://localhost:8080.\n\n',
    ],
  ])('says what is wrong, and explains itself, where it is used wrongly: %j', async (args, wrong) => {
    const { exitCode, out, err } = await endOf(start(args));
    expect([exitCode, out]).toEqual([2, '']);
    expect(err.split('Usage: npm run compare')[0]).toBe(wrong);
  });

  it('says so where no service answers', async () => {
    const { exitCode, err } = await endOf(start([...quick, '--url', 'http://127.0.0.1:9']));
    expect([exitCode, err]).toEqual([1, 'No service answers at http://127.0.0.1:9.\n']);
  });
});
