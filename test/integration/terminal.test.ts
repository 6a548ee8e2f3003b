import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runSchema } from '../../src/http/schemas.ts';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { commandsOfReadme } from '../support/readme-commands.ts';
import { startService, tracingTo } from '../support/service.ts';

/** What the service prints as it starts, where no collector listens. */
const dist = join(import.meta.dirname, '../../dist');
/** A port that nothing listens on. */
const collector = 'http://127.0.0.1:9';

// The one pseudo-terminal that every machine brings is `script` of util-linux; the one of macOS is another.
describe.runIf(process.platform === 'linux')('on a terminal', () => {
  let terminal: Terminal;
  let lines: readonly string[];
  beforeAll(async () => {
    terminal = await startOnTerminal();
    lines = terminal.lines.filter((line) => line !== '');
  });
  afterAll(() => terminal.interrupt());

  it('the service prints readable lines: a time, a level and words', () => {
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).toMatch(/^\[\d\d:\d\d:\d\d\] (?:INFO|WARN): \S/u);
    expect(lines.join('\n')).not.toMatch(/[{}]/u);
  });

  it('in colour', () => {
    expect(terminal.raw.join('\n')).toContain('\u001B[32mINFO');
    expect(terminal.raw.join('\n')).toContain('\u001B[33mWARN');
  });

  it('says where it listens, what it talks to, and where traces go', async () => {
    const said = lines.map(wordsOf);
    const url = said.find((line) => line.startsWith('Listening on '))?.replace('Listening on ', '') ?? '';
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(said).toContainEqual(
      expect.stringMatching(
        /^Target: emulator at http:\/\/127\.0\.0\.1:\d+ \(no AWS account needed; set TARGET=aws for AWS\)$/u,
      ),
    );
    expect(said).toContain(`Traces go to ${collector}/v1/traces`);
  });

  it('warns once that nobody takes spans, with the command of the README that changes it', () => {
    const warnings = lines.filter((line) => line.includes('WARN'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`No collector accepts spans at ${collector}`);
    const command = /To start Jaeger: (.*)$/u.exec(warnings[0] ?? '')?.[1];
    expect(command).toMatch(/^docker run /u);
    expect(commandsOfReadme()).toContain(command);
  });

  it('ends with three requests to try, each of which works as it stands', async () => {
    const tries = lines.map(wordsOf).flatMap((line) => /^Try: (curl .*)$/u.exec(line)?.[1] ?? []);
    expect(tries).toHaveLength(3);
    expect(lines.slice(-3).map(wordsOf)).toEqual(tries.map((command) => `Try: ${command}`));
    for (const command of tries) {
      const { stdout } = await promisify(execFile)('bash', ['-c', command]);
      const answer = runSchema.parse(JSON.parse(stdout));
      expect([command, answer.outcome]).toEqual([command, 'ok']);
    }
  });

  it('says of each run what it was, how long it took and which trace it is, in a line', async () => {
    const { traceId } = await terminal.run('/bench/fib?n=5&tasks=2');
    expect(traceId).toMatch(/^[0-9a-f]{32}$/u);
    const line = new RegExp(`^fib async ×2: ok in [\\d.]+ ms \\(trace ${traceId}\\)$`, 'u');
    await expect.poll(() => terminal.lines.map(wordsOf)).toContainEqual(expect.stringMatching(line));
  });

  it('names no trace in a line that is of none', () => {
    const others = terminal.lines.filter((line) => !line.includes(' ×'));
    expect(others.length).toBeGreaterThan(5);
    expect(others.join('\n')).not.toMatch(/\(trace|\{/u);
  });

  it('ends at Ctrl+C with 0, and leaves nothing', async () => {
    const all = descendantsOf(terminal.pid);
    expect(all.map(({ title }) => title)).toContainEqual(expect.stringContaining('fanout-bench emulator'));
    expect(await terminal.interrupt()).toBe(0);
    expect(await leftOverOf(all, 3_000)).toEqual([]);
    const said = terminal.lines.join('\n');
    expect(said).toContain('SIGINT: shutting down');
    // The terminal interrupts the whole group, the emulator too.
    expect(said).not.toContain('The emulator died');
  });
});

describe('anywhere else', () => {
  it('the service prints JSON lines, which say the same', async () => {
    const service = await startService(tracingTo(collector));
    await expect
      .poll(() => service.log.join('\n'))
      .toMatch(/(?:Try: [^\n]*\n[^]*){2}Try: /u)
      .finally(() => service.stop());
    const lines = service.log.map((line) => logLine.parse(JSON.parse(line)));
    const said = lines.map(({ msg }) => msg);
    expect(said).toContain(`Listening on ${service.url}`);
    expect(said).toContain(`Traces go to ${collector}/v1/traces`);
    expect(said.filter((line) => line.startsWith('Try: curl '))).toHaveLength(3);
    expect(lines.filter(({ code }) => code === 'collector_unreachable')).toHaveLength(1);
    expect(service.log.join('\n')).not.toContain('\\u001b');
  });
});

const logLine = z.looseObject({
  level: z.int(),
  time: z.iso.datetime(),
  msg: z.string(),
  code: z.string().optional(),
});

interface Terminal {
  /** The pid of `script`, under which everything runs. */
  readonly pid: number;
  /** What stands on the terminal, line by line; `raw` has the colours too. */
  readonly lines: readonly string[];
  readonly raw: readonly string[];
  run(path: string): Promise<{ readonly traceId: string }>;
  /** Presses Ctrl+C; gives the exit code. A second call gives the first one's. */
  interrupt(): Promise<number | null>;
}

/** Starts the service as `npm start` does, on a pseudo-terminal; resolves when it has said all. */
async function startOnTerminal(): Promise<Terminal> {
  if (spawnSync('script', ['--version']).status !== 0)
    throw new Error('There is no `script`, which gives the service a terminal. Install util-linux.');
  const command = `exec '${process.execPath}' --import '${join(dist, 'register.js')}' '${join(dist, 'main.js')}'`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: collector, PATH: process.env['PATH'], SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const raw: string[] = [];
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      raw.push(line);
      lines.push(stripVTControlCharacters(line));
      const tries = lines.filter((said) => said.includes('Try: '));
      const listening = /Listening on (\S+)/u.exec(lines.join('\n'))?.[1];
      if (tries.length === 3 && listening !== undefined) resolve(listening);
    });
    void closed.then(() => reject(new Error(`It ended:\n${lines.join('\n')}`)));
  });
  return {
    pid: child.pid ?? 0,
    raw,
    lines,
    async run(path) {
      const answer: unknown = await (await fetch(url + path)).json();
      return runSchema.parse(answer).trace;
    },
    async interrupt() {
      if (child.exitCode === null) child.stdin.write('\u0003');
      await closed;
      return child.exitCode;
    },
  };
}

/** Without time and level. */
function wordsOf(line: string): string {
  return line.replace(/^\[[\d:]+\] [A-Z]+: /u, '');
}
