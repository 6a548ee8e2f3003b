import { parseArgs } from 'node:util';
import { asCsv, asJson, asMarkdown, asText, formats, type Format } from '../http/comparison/formats.ts';
import { ask, RefusedError } from './client.ts';
import { interruption } from './interruption.ts';
import { progressBar } from './progress-bar.ts';
import { startOwnService, type OwnService } from './own-service.ts';

/**
 * `npm run compare -- s3 --strategies sdk-single,presigned-async`: GET /compare for a terminal or a script. The result
 * goes to standard output, progress and everything else to standard error.
 */
const help = `Usage: npm run compare -- WORKLOAD [--PARAMETER VALUE]... [--format FORMAT] [--url URL]

Compares strategies of a workload: fib, sleep, http, s3, bedrock or sts.

  --format FORMAT     ${formats.join(', ')} (text)
  --url URL           a service that runs; without it one is started, as the environment says, and ended
  --PARAMETER VALUE   any parameter of GET /compare/{workload}: strategies, baseline, rounds, tasks, n, pool, ...

  npm run compare -- fib --n 20,25,30 --strategies single,threads,isolate-threads
  npm run compare -- s3 --rounds 20 --format markdown

With BENCH_TOKEN in the environment it is sent along.
`;

const writers: Readonly<Record<Format, typeof asText>> = {
  json: asJson,
  text: asText,
  markdown: asMarkdown,
  csv: asCsv,
};

/** @returns the exit code: 0, 1 when the comparison failed, 2 when it was asked for wrongly */
async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { workload, format, url, query, wantsHelp, wrong } = understand(args);
  if (wantsHelp) {
    process.stdout.write(help);
    return 0;
  }
  if (workload === null || format === null || wrong !== null) {
    process.stderr.write(wrong === null ? help : `${wrong}\n\n${help}`);
    return 2;
  }
  const interrupted = interruption();
  const bar = progressBar(process.stderr);
  let service: OwnService | null = null;
  try {
    if (url === null) service = await startOwnService(import.meta.dirname, environment, interrupted);
    const from = new URL(
      `/compare/${encodeURIComponent(workload)}?${query.toString()}`,
      service?.url ?? url ?? '',
    );
    const view = await ask(from, environment['BENCH_TOKEN'], interrupted, (progress) => bar.show(progress));
    bar.clear();
    process.stdout.write(writers[format](view));
    return 0;
  } catch (error) {
    bar.clear();
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof RefusedError && error.status < 500 ? 2 : 1;
  } finally {
    await service?.stop();
  }
}

interface Understood {
  readonly workload: string | null;
  /** `null`: there is no such format. */
  readonly format: Format | null;
  readonly url: string | null;
  readonly query: URLSearchParams;
  readonly wantsHelp: boolean;
  /** What of the command's own is not right; `null`: nothing. */
  readonly wrong: string | null;
}

/** Whatever is not the command's own goes to the service, which knows best what is wrong with it. */
function understand(args: readonly string[]): Understood {
  const { values, positionals } = parseArgs({
    args: withValues(args),
    allowPositionals: true,
    strict: false,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const { help: wantsHelp = false, format = 'text', url, ...parameters } = values;
  return {
    workload: positionals.length === 1 ? (positionals[0] ?? null) : null,
    format: formats.find((name) => name === format) ?? null,
    url: typeof url === 'string' ? url : null,
    query: new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
    wantsHelp: wantsHelp === true,
    wrong: wrongIn(positionals, values),
  };
}

type Options = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function wrongIn(workloads: readonly string[], { help: _, ...options }: Options): string | null {
  if (workloads.length > 1) return `One workload at a time: ${workloads.join(', ')}.`;
  const bare = Object.keys(options).find((name) => typeof options[name] !== 'string');
  if (bare !== undefined) return `--${bare} needs a value.`;
  const { url = 'http://localhost:8080', format = 'text' } = options;
  if (!/^https?:/u.test(String(url)) || !URL.canParse(String(url)))
    return `--url: "${String(url)}" is no URL of a service, such as http://localhost:8080.`;
  return formats.some((name) => name === format)
    ? null
    : `There is no format "${String(format)}". There are ${formats.join(', ')}.`;
}

/** `--name value` becomes `--name=value`: which names there are is the service's business. */
function withValues(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const [arg = '', next] = [args[index], args[index + 1]];
    const takesNext =
      /^--[^=]+$/u.test(arg) && arg !== '--help' && next !== undefined && !next.startsWith('--');
    joined.push(takesNext ? `${arg}=${next}` : arg);
    if (takesNext) index += 1;
  }
  return joined;
}

process.exitCode = await main(process.argv.slice(2), process.env);
