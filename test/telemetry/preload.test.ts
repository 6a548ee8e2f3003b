import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const root = join(import.meta.dirname, '../..');
const traceId = '0af7651916cd43dd8448eb211c80319c';

/** A service as the real one is built: Express imported from a bundle, telemetry preloaded from another. */
const app = `
  import express from 'express';
  import { startTelemetry } from '${join(root, 'otel/sdk.ts')}';
  const telemetry = startTelemetry();
  telemetry.onNotice(({ code }) => console.log(code));
  const app = express();
  const routes = express.Router();
  routes.get('/bench/:workload', (request, response) => {
    const ids = telemetry.allotIds({ workload: request.params.workload, strategy: 'async', access: null, tasks: 1 });
    response.json(ids);
  });
  routes.get('/healthz', (_, response) => response.json({}));
  app.use((_, __, next) => next(), routes);
  const server = app.listen(0, '127.0.0.1', async () => {
    const at = 'http://127.0.0.1:' + server.address().port;
    const headers = { traceparent: '00-${traceId}-b7ad6b7169203331-01' };
    for (const path of ['/healthz', '/metrics', '/docs/x', '/openapi.json?x', '/readyz']) await fetch(at + path);
    const answer = await fetch(at + '/bench/fib?n=1&x-amz-signature=s3cret', { headers });
    console.log(await answer.text());
    server.close();
    await telemetry.shutdown();
  });
`;

let folder: string;
let receiver: OtlpReceiver;

beforeAll(async () => {
  // Inside the project, so that packages are found.
  folder = await mkdtemp(join(root, 'node_modules/.preload-'));
  await writeFile(join(folder, 'app.ts'), app);
  await build({
    cwd: root,
    platform: 'node',
    logLevel: 'warn',
    input: { app: join(folder, 'app.ts'), register: 'otel/register.ts' },
    external: [/^[^./]/u],
    output: { dir: folder, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  });
});

afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
});

afterEach(() => receiver.close());

async function start(
  variables: Readonly<Record<string, string>> = {},
): Promise<{ lines: string[]; stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', join(folder, 'register.js'), join(folder, 'app.js')],
    { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...variables }, timeout: 20_000 },
  );
  return { lines: stdout.trim().split('\n'), stderr };
}

test('a request makes one server span, named by its route, that continues the caller’s trace', async () => {
  const { lines } = await start();
  expect(receiver.spans).toHaveLength(1);
  const [span] = receiver.spans;
  expect(span).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331', kind: 'SERVER' });
  expect(span?.name).toBe('GET /bench/:workload');
  expect(span?.attributes).toMatchObject({
    'http.route': '/bench/:workload',
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.path': '/bench/fib',
    'url.query': 'n=1&x-amz-signature=REDACTED',
  });
  expect(span?.resource['service.name']).toBe('fanout-bench');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ traceId, parentSpanId: span?.spanId, sampled: true });
});

test('preloading prints nothing: no warning, no deprecation', async () => {
  const { stderr } = await start();
  expect(stderr).toBe('');
});

test('another service name is taken', async () => {
  await start({ OTEL_SERVICE_NAME: 'other' });
  expect(receiver.spans[0]?.resource['service.name']).toBe('other');
});

test('with no collector the service works, says so and ends', async () => {
  await receiver.close();
  const { lines, stderr } = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: '100' });
  expect(lines).toEqual([expect.stringContaining(traceId), 'collector_unreachable']);
  expect(stderr).toBe('');
});

test.each([
  [{}, 0],
  [{ OTEL_LOG_LEVEL: 'error' }, 0],
  [{ OTEL_LOG_LEVEL: 'warn' }, 1],
])(
  'with %j OpenTelemetry’s own warnings are written or not, and rejected spans are told',
  async (variables, times) => {
    receiver.behaviour = 'choose';
    const { lines, stderr } = await start(variables);
    expect(lines).toContain('spans_dropped');
    expect(stderr.match(/three are too old/gu) ?? []).toHaveLength(times);
    expect(stderr).not.toContain('overwritten');
  },
);
