import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { cacheFolder } from './real-servers-binary.ts';

const folder = join(import.meta.dirname, '../e2e/schemathesis');
const run = promisify(execFile);

/**
 * A virtual environment with Schemathesis, of exactly the versions in requirements.txt: installed from PyPI into a virtual environment
 * of its own if the cache lacks it. Throws, saying what is missing, where it can't be installed.
 */
async function schemathesis(): Promise<string> {
  return join(await pythonEnvironment(), 'bin/schemathesis');
}

/** What is wrong with a YAML document by a JSON Schema, in the words of the validator that Schemathesis brings. */
export async function violationsOf(schema: string, yaml: string): Promise<readonly string[]> {
  const python = join(await pythonEnvironment(), 'bin/python');
  const { stdout } = await run(python, ['-c', validate, schema, yaml]);
  return z.array(z.string()).parse(JSON.parse(stdout));
}

const validate = `
import json, sys, jsonschema_rs, yaml
validator = jsonschema_rs.validator_for(json.loads(sys.argv[1]))
errors = validator.iter_errors(yaml.safe_load(sys.argv[2]))
print(json.dumps([f"{list(e.instance_path)}: {e.message}" for e in errors]))
`;

async function pythonEnvironment(): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const environment = join(cacheFolder(), `schemathesis-${digest.slice(0, 12)}`);
  const installed = join(environment, 'complete');
  if (!(await exists(installed))) {
    // Scripts of an environment name its path, so it is made in its place, and complete when it says so.
    await rm(environment, { recursive: true, force: true });
    await mkdir(cacheFolder(), { recursive: true });
    try {
      await run('python3', ['-m', 'venv', environment]);
      const pip = join(environment, 'bin/pip');
      await run(pip, ['install', '--quiet', '--no-deps', '--disable-pip-version-check', '-r', requirements]);
    } catch (cause) {
      const remedy = 'It takes Python 3.11 or newer with venv (Debian: python3-venv) and PyPI.';
      throw new Error(`Schemathesis could not be installed. ${remedy}`, { cause });
    }
    await mkdir(installed);
  }
  return environment;
}

const reportSchema = z.looseObject({
  complete: z.boolean(),
  phases: z.record(z.string(), z.looseObject({ status: z.string() })),
  operations: z.looseObject({}),
  test_cases: z.looseObject({ generated: z.int(), errored: z.int(), without_checks: z.int() }),
  failures: z.array(z.unknown()),
});

/** What it found, by its own report. */
export type SchemathesisReport = z.infer<typeof reportSchema>;

/** One case that was sent, and the link of the document, if any, whose value it was sent with. */
export interface Case {
  readonly path: string;
  readonly status: number | null;
  readonly link: string | null;
}

/** As much of an event as is asked of it: only the end of a scenario tells of cases. */
const eventSchema = z.looseObject({
  ScenarioFinished: z
    .looseObject({
      recorder: z.looseObject({
        cases: z
          .record(
            z.string(),
            z.looseObject({
              transition: z.looseObject({ id: z.string(), is_inferred: z.boolean() }).nullish(),
              is_transition_applied: z.boolean(),
            }),
          )
          .default({}),
        interactions: z
          .record(
            z.string(),
            z.looseObject({
              request: z.looseObject({ uri: z.url() }),
              response: z.looseObject({ status_code: z.int() }).nullable(),
            }),
          )
          .default({}),
      }),
    })
    .optional(),
});

function casesIn(events: string): readonly Case[] {
  return events
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const { cases = {}, interactions = {} } =
        eventSchema.parse(JSON.parse(line)).ScenarioFinished?.recorder ?? {};
      return Object.entries(interactions).map(([id, { request, response }]) => {
        const { transition, is_transition_applied: applied } = cases[id] ?? {};
        const declared = applied === true && transition?.is_inferred === false;
        return {
          path: new URL(request.uri).pathname,
          status: response?.status_code ?? null,
          link: declared ? transition.id : null,
        };
      });
    });
}

/** Tests the service at `url` by its OpenAPI document. `said` is what it printed, for people. */
export async function testBySchema(
  url: string,
  parameters: readonly string[],
): Promise<{
  readonly exitCode: number | null;
  readonly report: SchemathesisReport;
  readonly cases: readonly Case[];
  readonly said: string;
}> {
  const program = await schemathesis();
  const scratch = await mkdtemp(join(tmpdir(), 'fanout-bench-schemathesis-'));
  const reportFile = join(scratch, 'report.json');
  const eventsFile = join(scratch, 'events.ndjson');
  try {
    const configured = ['--config-file', join(folder, 'schemathesis.toml')];
    const reports = ['--report-json-path', reportFile, '--report-ndjson-path', eventsFile];
    const reported = [...reports, '--no-color', '--continue-on-failure'];
    const child = spawn(program, [...configured, 'run', `${url}/openapi.json`, ...reported, ...parameters], {
      cwd: scratch,
      env: {
        PATH: process.env['PATH'] ?? '',
        PYTHONPATH: folder,
        PYTHONDONTWRITEBYTECODE: '1',
        COLUMNS: '120',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
    const [exitCode]: (number | null)[] = await once(child, 'close');
    const json = await readFile(reportFile, 'utf8').catch(() => {
      throw new Error(`Schemathesis wrote no report:\n${said.join('')}`);
    });
    return {
      exitCode: exitCode ?? null,
      report: reportSchema.parse(JSON.parse(json)),
      cases: casesIn(await readFile(eventsFile, 'utf8')),
      said: said.join(''),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
