import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runSchema } from '../../src/http/schemas.ts';
import { loadTest, summaryOf } from '../support/k6.ts';
import { startJaeger, type Jaeger } from '../support/real-servers.ts';
import { startByCommand, type StartedByCommand } from '../support/started-by-command.ts';

/** The way that deploy/README.md shows without containers, by its very commands, on other ports. */
const text = readFileSync(join(import.meta.dirname, '../../deploy/README.md'), 'utf8');
const commands = [...text.matchAll(/^ {4}(\S.*)$/gmu)].map(([, command]) => command ?? '');
const [jaegerCommand, serviceCommand = '', loadCommand = '', curlCommand = '', ...others] = commands.filter(
  (command) => !command.startsWith('docker '),
);

let jaeger: Jaeger;
let service: StartedByCommand;
beforeAll(async () => {
  jaeger = await startJaeger();
  service = await startByCommand(serviceCommand.replace('npm ci && ', ''), {
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl,
  });
});
afterAll(async () => {
  await service.stop();
  await jaeger.stop();
});

const tracesSchema = z.object({
  data: z.tuple([
    z.object({
      spans: z.array(
        z.object({
          operationName: z.string(),
          tags: z.array(z.object({ key: z.string(), value: z.unknown() })),
        }),
      ),
    }),
  ]),
});

describe('from nothing to the slowest run of a load test', () => {
  it('is a Jaeger, a service, a load test and a look', () => {
    // As README.md has it, whose own test runs it; and what CI begins with.
    expect(jaegerCommand).toBe('./jaeger --config deploy/jaeger/config.yaml');
    expect(serviceCommand).toMatch(/^npm ci && .*npm start$/u);
    expect(loadCommand).toMatch(/^npm run load -- load .*--url http:\/\/localhost:8080$/u);
    expect(curlCommand).toBe('curl localhost:16686/api/traces/<traceId>');
    expect(others).toEqual([]);
  });

  it('leads to a trace with all that is said of it, and to the JSON of that run', async () => {
    const url = loadCommand.replace('http://localhost:8080', service.url);
    // A busy machine may take its time, and may not keep up; what is not refused then must be well all the same.
    const ended = await loadTest(url, { P95_MS: '60000' });
    const { requests, failures, slowest, thresholds } = summaryOf(ended);
    const crossed = thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric);
    expect(['accepted', 'dropped_iterations']).toEqual(expect.arrayContaining(crossed));
    expect(ended.exitCode).toBe(crossed.length === 0 ? 0 : 99);
    expect(ended.err.replaceAll(/^time=.*(?:have been crossed|Insufficient VUs).*\n/gmu, '')).toBe('');
    expect(['busy']).toEqual(expect.arrayContaining(failures.map(({ code }) => code)));
    expect(requests.answered200 + requests.answered503).toBe(requests.sent);
    expect(requests.answered200).toBeGreaterThan(0);
    const shown = /^```text\n(slowest\n[\s\S]*?)^```$/mu.exec(text)?.[1] ?? '';
    expect(shapeOf(ended.out.slice(ended.out.indexOf('\nslowest\n') + 1))).toContain(shapeOf(shown));
    expect(slowest[0]?.run).toBe('/bench/s3?strategy=presigned-async');
    const traceId = slowest[0]?.traceId ?? '';
    await jaeger.trace(traceId, { atLeast: 13 });

    const look = curlCommand
      .replace('localhost:16686', new URL(jaeger.queryUrl).host)
      .replace('<traceId>', traceId);
    const { stdout } = await promisify(execFile)('bash', ['-c', look]);
    const [{ spans }] = tracesSchema.parse(JSON.parse(stdout)).data;
    const tasks = Array.from({ length: 10 }, (_, index) => `task s3 ${index}`);
    expect(spans.map(({ operationName }) => operationName).toSorted()).toEqual(
      ['GET /bench/:workload', 'run s3 presigned-async', 'sign', ...tasks].toSorted(),
    );
    const told = text.match(/bench\.(?:task|phase)\.[a-z_]+/gu) ?? [];
    expect(told).toHaveLength(5);
    const task = spans.find(({ operationName }) => operationName === 'task s3 0');
    expect(task?.tags.map(({ key }) => key)).toEqual(expect.arrayContaining(told));

    const run = spans.find(({ operationName }) => operationName.startsWith('run '));
    const id = run?.tags.find(({ key }) => key === 'bench.run.id')?.value;
    const kept = await fetch(`${service.url}/runs/${String(id)}`);
    const body = runSchema.parse(await kept.json());
    expect([kept.status, body.run.id, body.trace.traceId]).toEqual([200, id, traceId]);
  });
});

/** Without what differs from one time to the next. */
function shapeOf(printed: string): string {
  return printed.replaceAll(/ +[\d.]+ ms/gu, ' TIME').replaceAll(/\/[\da-f]{32}/gu, '/TRACE');
}
