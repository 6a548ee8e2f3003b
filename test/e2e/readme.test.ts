import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installedRuntimes } from '../support/installed-runtimes.ts';
import { commandBlocks, isRequest } from '../support/readme.ts';
import { startJaeger, type Jaeger } from '../support/real-servers.ts';
import { startByCommand, type StartedByCommand } from '../support/started-by-command.ts';

/** README.md's commands, run as they stand but for the ports, which are free ones here. */

/** The blocks that are requests for runs or comparisons, and no more. */
const scripts = commandBlocks().filter((block) => block.split('\n').every((line) => isRequest(line)));

let jaeger: Jaeger;
let service: StartedByCommand;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-'));
  jaeger = await startJaeger();
  service = await startByCommand('npm start', {
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl,
    RUNTIMES: 'node26,node24,node22',
    RUNTIMES_FOLDER: await installedRuntimes(),
  });
});
afterAll(async () => {
  await service.stop();
  await jaeger.stop();
  await rm(folder, { recursive: true });
});

/** What every other command of the README does is held in `readme-commands.test.ts`. */
describe('a request of the README', () => {
  it('is one of several', () => {
    expect(scripts.length).toBeGreaterThan(3);
  });

  it.each(scripts)('%s', (script) => {
    const printed = sh(script);
    expect(printed).not.toMatch(/"outcome": "(?!ok)|"status": \d/u);
    expect(printed).toMatch(script.includes('format=text') ? /^Recommended: /mu : /"outcome": "ok"/u);
  });
});

/** Runs a script in a folder of its own; gives what it prints. */
function sh(script: string): string {
  const ported = script
    .replaceAll('localhost:8080', `localhost:${service.port}`)
    .replaceAll('localhost:4318', new URL(jaeger.otlpUrl).host)
    .replaceAll('localhost:16686', new URL(jaeger.queryUrl).host);
  return execFileSync('bash', ['-euo', 'pipefail', '-c', ported], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
