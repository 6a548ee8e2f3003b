import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { guardGroup } from '../reaper.ts';
import { possibleStrategies } from './catalogue.ts';
import { findK6 } from './k6.ts';
import { interruption } from './interruption.ts';
import { startOwnService, type OwnService } from './own-service.ts';

/**
 * `npm run load -- smoke`: the load tests of deploy/k6, with the k6 at hand. The summary goes to standard output and to
 * files, everything else to standard error; on a terminal k6 shows its progress as well.
 */
const always = ['P95_MS', 'SUMMARY'];
const atARate = ['RATE', 'DURATION', 'VUS', ...always];
/** What the script of each test reads of its environment, and so takes as an option. */
const variablesOf = {
  smoke: always,
  load: [...atARate, 'RUNS'],
  stress: [...atARate, 'MAX_RATE', 'RUNS'],
  soak: [...atARate, 'RUNS'],
  strategies: [...atARate, 'WORKLOAD', 'QUERY', 'STRATEGIES'],
} as const satisfies Record<string, readonly string[]>;
type Test = keyof typeof variablesOf;
const variables = [...new Set(Object.values(variablesOf).flat())];

const help = `Usage: npm run load -- TEST [--OPTION VALUE]... [--url URL]

Loads a service with k6: smoke, load, stress, soak or strategies. See deploy/k6/README.md.

  --url URL           a service that runs; without it one is started, as the environment says, and ended
  --rate N            runs a second, at first; not in smoke; --max-rate N: at last, in stress
  --duration LENGTH   30s, 5m, 1h: of the test, or of one step of it; not in smoke
  --runs PATHS        in load, stress and soak: runs to ask for in turn, separated by commas: '/bench/sleep?ms=20,/bench/fib?n=20'
  --workload NAME     in strategies, with --query 'tasks=4&n=22'; --strategies NAMES: some of those that are possible
  --p95-ms MS         the test fails when more than 5 % of the answers take longer
  --vus N             virtual users: how many runs may be unanswered at once; not in smoke
  --summary PATH      PATH.json and PATH.txt instead of k6-TEST.json and k6-TEST.txt

  npm run load -- smoke
  npm run load -- stress --rate 10 --max-rate 320 --duration 10s

k6 is found by K6 in the environment, on the PATH, or where the end-to-end tests put it. With BENCH_TOKEN in the
environment it is sent along. The exit code is k6's: 99 when a threshold is crossed.
`;

/** @returns the exit code: k6's, 1 when it or the service could not be started, 2 when it was asked for wrongly */
async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const asked = understand(args);
  if (asked === 'help') {
    process.stdout.write(help);
    return 0;
  }
  if (asked instanceof Error) {
    process.stderr.write(`${asked.message}\n\n${help}`);
    return 2;
  }
  const interrupted = interruption();
  let service: OwnService | null = null;
  try {
    const k6 = await findK6(environment);
    const given = asked.url ?? (environment['BASE_URL'] || null);
    if (given === null) service = await startOwnService(import.meta.dirname, environment, interrupted);
    const script = join(import.meta.dirname, '../deploy/k6', `${asked.test}.ts`);
    const settings = { ...environment, ...asked.settings, BASE_URL: service?.url ?? given ?? '' };
    const all = asked.test === 'strategies' ? await strategiesFor(settings, interrupted) : {};
    return await run(k6, script, { ...settings, ...all }, interrupted);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await service?.stop();
  }
}

/** What a test of strategies is to run: all that are possible, or some of them. k6 itself can't ask so early. */
async function strategiesFor(settings: NodeJS.ProcessEnv, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  const { BASE_URL: url = '', WORKLOAD, STRATEGIES, BENCH_TOKEN: token } = settings;
  const workload = WORKLOAD || 'fib';
  const possible = await possibleStrategies(url, workload, token, signal);
  if (!STRATEGIES) return { WORKLOAD: workload, STRATEGIES: possible.join(',') };
  const wrong = STRATEGIES.split(',').find((name) => !possible.includes(name.trim()));
  if (wrong === undefined) return { WORKLOAD: workload };
  throw new Error(
    `STRATEGIES: "${wrong}" is not valid; expected some of ${possible.join(', ')}, as ${workload} has them.`,
  );
}

/** Runs a script; one that is interrupted ends what it has begun, and sums up. */
async function run(
  k6: string,
  script: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  // Its progress goes where the summary goes, which anything but a terminal wants alone.
  const progress = process.stdout.isTTY && process.stderr.isTTY ? [] : ['--quiet'];
  const child = spawn(k6, ['run', ...progress, '--no-usage-report', script], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Ctrl+C is for this command, which then passes it on, once: a second one would cost the summary.
    detached: true,
  });
  const closed = once(child, 'close');
  const interrupt = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  const dismiss = child.pid === undefined ? null : await guardGroup(child.pid, 'TERM');
  const [exitCode]: (number | null)[] = await closed;
  dismiss?.();
  return exitCode ?? 1;
}

interface Asked {
  readonly test: Test;
  readonly url: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

function understand(args: readonly string[]): Asked | 'help' | Error {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        url: { type: 'string' },
        ...Object.fromEntries(variables.map((name) => [optionOf(name), { type: 'string' as const }])),
      },
    });
    if (values['help'] === true) return 'help';
    const [test = ''] = positionals;
    if (!isTest(test) || positionals.length > 1)
      return new Error(`"${positionals.join(' ')}" is none of ${Object.keys(variablesOf).join(', ')}.`);
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    const settings = variables.flatMap((name) => {
      const value = given[optionOf(name)];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    const taken: readonly string[] = variablesOf[test];
    const idle = settings.map(([name]) => name).filter((name) => !taken.includes(name));
    if (idle.length > 0) {
      const [refused, allowed] = [idle, [...taken, 'URL']].map((names) =>
        names.map((name) => `--${optionOf(name)}`).join(', '),
      );
      return new Error(`${test} has no use for ${refused}; it takes ${allowed}.`);
    }
    return { test, url: values.url ?? null, settings: Object.fromEntries(settings) };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isTest(name: string): name is Test {
  return Object.hasOwn(variablesOf, name);
}

/** `MAX_RATE` is `--max-rate`. */
function optionOf(variable: string): string {
  return variable.toLowerCase().replaceAll('_', '-');
}

process.exitCode = await main(process.argv.slice(2), process.env);
