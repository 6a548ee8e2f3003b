import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { k6Version } from '../../src/cli/k6.ts';
import { binaryOf } from './real-servers-binary.ts';

const root = join(import.meta.dirname, '../..');

const traceOfRun = z.strictObject({ run: z.string(), traceId: z.string(), url: z.string() });

/** What a load test wrote as JSON, as far as all of them do. */
const summarySchema = z.looseObject({
  test: z.string(),
  passed: z.boolean(),
  requests: z.strictObject({
    sent: z.int(),
    answered200: z.int(),
    answered503: z.int(),
    answeredOtherwise: z.int(),
    unanswered: z.int(),
    unansweredRefused: z.int(),
    dropped: z.int(),
  }),
  thresholds: z.array(z.strictObject({ metric: z.string(), threshold: z.string(), ok: z.boolean() })),
  notReady: z.string().nullable(),
  failures: z.array(
    z.strictObject({ code: z.string(), count: z.int(), answered: z.boolean(), first: traceOfRun }),
  ),
  slowest: z.array(traceOfRun.extend({ ms: z.number() })),
});

export type LoadSummary = z.infer<typeof summarySchema>;

export interface LoadTest {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
  /** `null` when it did not come to one. */
  readonly summary: LoadSummary | null;
}

export interface StartedLoadTest {
  readonly pid: number;
  readonly ended: Promise<LoadTest>;
}

/** The path of a real k6. Its first use on a machine builds it, which takes minutes. */
export function k6Binary(): Promise<string> {
  return binaryOf({ name: 'k6', version: k6Version, module: 'go.k6.io/k6/v2', package: '.' });
}

/**
 * Starts a command for a shell at the root of the repository, with a real `k6` on its PATH. What it sums up goes to a
 * folder that is removed when it ends.
 */
export async function startLoadTest(
  command: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedLoadTest> {
  const folder = await mkdtemp(join(tmpdir(), 'fanout-bench-k6-'));
  await symlink(await k6Binary(), join(folder, 'k6'));
  const path = [folder, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn('bash', ['-c', command], {
    cwd: root,
    env: {
      PATH: path,
      HOME: folder,
      K6_NO_USAGE_REPORT: 'true',
      npm_config_update_notifier: 'false',
      OTEL_TRACES_EXPORTER: 'none',
      SUMMARY: join(folder, 'summary'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  const end = async (): Promise<LoadTest> => {
    const [exitCode]: (number | null)[] = await once(child, 'close');
    const json = await readFile(join(folder, 'summary.json'), 'utf8').catch(() => null);
    await rm(folder, { recursive: true });
    const summary = json === null ? null : summarySchema.parse(JSON.parse(json));
    return { exitCode: exitCode ?? null, out: out.join(''), err: err.join(''), summary };
  };
  return { pid: child.pid ?? 0, ended: end() };
}

/** {@link startLoadTest}, and waits for its end. */
export async function loadTest(
  command: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<LoadTest> {
  return (await startLoadTest(command, environment)).ended;
}

/** The summary of a test that must have come to one; throws with what it printed. */
export function summaryOf({ summary, out, err }: LoadTest): LoadSummary {
  if (summary === null) throw new Error(`no summary:\n${out}\n${err}`);
  return summary;
}
