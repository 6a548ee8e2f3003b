import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  emulatorBucket,
  emulatorCredentials,
  emulatorModelId,
  emulatorRegion,
} from '../../src/emulator/credentials.ts';
import { workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { runListSchema } from '../../src/http/schemas.ts';
import { EchoingUpstream } from '../support/echoing-upstream.ts';
import { EmulatorUnderTest } from '../support/emulator.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { childrenOf, processTable, workersOf } from '../support/process-table.ts';
import { descendantsOf } from '../support/processes.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';

/** None of these may be in anything that leaves the service but the requests to their upstream. */
const marked = {
  accessKeyId: emulatorCredentials.accessKeyId,
  secretKey: emulatorCredentials.secretAccessKey,
  sessionToken: 'MARKEDSESSIONTOKEN+0123456789/MARKEDTOKENSEND==',
  benchToken: 'MARKEDBENCHTOKEN0123456789',
  otherToken: 'MARKEDOTHERTOKEN0123456789',
  signatureOfPage: 'c0ffee'.repeat(10) + 'c0fe',
  passwordOfPage: 'MARKEDPASSWORD',
};

let emulator: EmulatorUnderTest;
let upstream: EchoingUpstream;
let receiver: OtlpReceiver;
let service: RunningService;
/** Titles and arguments of every process of the service that was seen while it worked. */
const titles = new Set<string>();
let watching: NodeJS.Timeout;
/** Every answer: its status, headers and body. */
const answers: string[] = [];

beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
  upstream = await EchoingUpstream.before(emulator.endpoint);
  receiver = await OtlpReceiver.listen();
  const page = `${upstream.url.replace('//', `//user:${marked.passwordOfPage}@`)}/pages/0?X-Amz-Signature=${marked.signatureOfPage}&X-Amz-Security-Token=${marked.sessionToken}`;
  service = await startService({
    ...tracingTo(receiver.url),
    OTEL_LOGS_EXPORTER: 'otlp',
    TARGET: 'aws',
    AWS_ACCESS_KEY_ID: marked.accessKeyId,
    AWS_SECRET_ACCESS_KEY: marked.secretKey,
    AWS_SESSION_TOKEN: marked.sessionToken,
    AWS_REGION: emulatorRegion,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_S3: upstream.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: upstream.url,
    AWS_ENDPOINT_URL_STS: upstream.url,
    S3_BUCKET: emulatorBucket,
    S3_PREFIX: 'photos/',
    BEDROCK_MODEL_ID: emulatorModelId,
    HTTP_URLS: page,
    BENCH_TOKEN: marked.benchToken,
    LOG_LEVEL: 'trace',
    MAX_RUNS_KEPT: '1000',
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
  });
  watching = setInterval(() => {
    for (const { pid, parent, title } of processTable())
      if (pid === service.pid || parent === service.pid) titles.add(title);
    for (const { title } of descendantsOf(service.pid)) titles.add(title);
  }, 200);
});
afterAll(async () => {
  clearInterval(watching);
  await service.stop();
  await receiver.close();
  upstream.close();
  emulator.close();
});

/** Asks as one who may, and keeps the answer. */
async function ask(path: string, token = marked.benchToken) {
  const { status, headers, text } = await service.get(path, { Authorization: `Bearer ${token}` });
  answers.push(`${status} ${JSON.stringify([...headers])} ${text}`);
  return { status, text };
}

/** Every workload with every strategy, and with each client that there is. */
async function paths(): Promise<readonly string[]> {
  const { workloads } = workloadsSchema.parse(JSON.parse((await ask('/workloads')).text));
  return workloads.flatMap(({ name, strategies }) =>
    strategies
      .filter(({ possible }) => possible)
      .flatMap(({ strategy }) => {
        const path = `/bench/${name}?strategy=${strategy}&tasks=2&detail=phases${small[name] ?? ''}`;
        const plain = name === 'http' || strategy.startsWith('presigned-');
        return plain ? [`${path}&client=got`, `${path}&client=undici`] : [path];
      }),
  );
}

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 150), at + 12);
}

const small: Readonly<Record<string, string>> = { fib: '&n=5', sleep: '&ms=1' };
const calling = /^\/bench\/(?:http|s3|bedrock|sts)/u;
const bedrock = ['op=converse&stream=true', 'op=invoke', 'op=invoke&stream=true'];

describe('nothing secret leaves the service', () => {
  it('when all is well: every workload, strategy, access and client', async () => {
    upstream.mode = 'forward';
    for (const path of await paths()) expect([path, (await ask(path)).status]).toEqual([path, 200]);
    for (const how of bedrock)
      for (const strategy of ['sdk-async', 'presigned-async'])
        expect((await ask(`/bench/bedrock?strategy=${strategy}&${how}&answers=true`)).status).toBe(200);
    const compared = await ask(
      '/compare/sts?strategies=sdk-single,presigned-async&rounds=1&warmup=0&tasks=2',
    );
    expect(compared.status).toBe(200);
  });

  it('when an upstream refuses, and repeats in words what signed the request', async () => {
    upstream.mode = 'echo';
    for (const path of (await paths()).filter((one) => calling.test(one)))
      expect([path, (await ask(path)).status]).toEqual([path, 502]);
    for (const how of bedrock)
      for (const strategy of ['sdk-async', 'presigned-async'])
        expect((await ask(`/bench/bedrock?strategy=${strategy}&${how}`)).status).toBe(502);
    const compared = await ask(
      '/compare/sts?strategies=sdk-single,presigned-async&rounds=1&warmup=0&tasks=2',
    );
    expect(compared.text).toContain('upstream');
  });

  it('when time is over', async () => {
    upstream.mode = 'hang';
    for (const path of (await paths()).filter((one) => calling.test(one)))
      expect([path, (await ask(`${path}&timeoutMs=300`)).status]).toEqual([path, 504]);
  });

  it.each([
    ['runner', 'sts', 'presigned-async', (runner: number) => [runner]],
    ['runner', 'bedrock', 'sdk-threads', (runner: number) => [runner]],
    ['worker', 'sts', 'sdk-subprocess', workersOf],
    ['worker', 'bedrock', 'presigned-subprocess', workersOf],
    ['runner', 's3', 'presigned-async', (runner: number) => [runner]],
    ['runner', 's3', 'sdk-async', (runner: number) => [runner]],
    ['worker', 's3', 'sdk-subprocess', workersOf],
    ['worker', 's3', 'presigned-subprocess', workersOf],
    ['runner', 'http', 'async', (runner: number) => [runner]],
    ['worker', 'http', 'subprocess', workersOf],
  ] as const)('when the %s of %s %s is killed', async (_, workload, strategy, victimsOf) => {
    upstream.mode = 'hang-tasks';
    const before = upstream.hung;
    const asked = ask(`/bench/${workload}?strategy=${strategy}&tasks=2`);
    await expect.poll(() => upstream.hung, { timeout: 30_000 }).toBe(before + 2);
    const victims = childrenOf(service.pid, 'fanout-bench runner').flatMap(victimsOf);
    expect(victims.length).toBeGreaterThan(0);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    expect((await asked).status).toBe(502);
  });

  it('when requests are refused', async () => {
    expect((await ask('/bench/sts', marked.otherToken)).status).toBe(401);
    expect((await ask('/bench/sts?strategy=none')).status).toBe(400);
    expect((await ask('/bench/nothing')).status).toBe(404);
    expect((await ask('/nowhere')).status).toBe(404);
  });

  it('in what it keeps, counts and documents', async () => {
    upstream.mode = 'forward';
    const { runs } = runListSchema.parse(JSON.parse((await ask('/runs')).text));
    expect(runs.length).toBeGreaterThan(150);
    for (const { id } of runs) {
      expect((await ask(`/runs/${id}`)).status).toBe(200);
      expect((await ask(`/runs/${id}/trace.json`)).status).toBe(200);
    }
    for (const path of ['/metrics', '/workloads', '/strategies', '/healthz', '/readyz', '/openapi.json'])
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
  });

  it('as all answers, spans, log lines, titles and arguments show', async () => {
    // Each of them was there to be found.
    const sent = upstream.seen.join('\n');
    expect(sent).toContain(marked.accessKeyId);
    expect(sent).toContain(marked.sessionToken);
    expect(sent).toContain(marked.signatureOfPage);
    expect(sent).toContain(`Basic ${btoa(`user:${marked.passwordOfPage}`)}`);
    expect(sent).not.toContain(marked.secretKey);
    expect(upstream.signatures.size).toBeGreaterThan(100);
    const { runs } = runListSchema.parse(JSON.parse((await ask('/runs')).text));
    const runSpans = () => receiver.spans.filter(({ name }) => name.startsWith('run ')).length;
    await expect.poll(runSpans, { timeout: 20_000 }).toBeGreaterThanOrEqual(runs.length);
    const left: Readonly<Record<string, readonly string[]>> = {
      answers,
      spans: receiver.spans.map((span) =>
        JSON.stringify({
          ...span,
          startNs: null,
          endNs: null,
          events: span.events.map(({ attributes }) => attributes),
        }),
      ),
      log: service.log,
      logRecords: receiver.logs.map((record) => JSON.stringify({ ...record, timeNs: null })),
      titles: [...titles],
    };
    expect([...titles]).toEqual(expect.arrayContaining(['fanout-bench service']));
    await expect.poll(() => receiver.logs.length, { timeout: 20_000 }).toBe(service.log.length);
    const parts = ['MARKEDSESSIONTOKEN', 'MARKEDTOKENSEND'];
    const secrets = [
      ...Object.values(marked),
      ...parts,
      btoa(`user:${marked.passwordOfPage}`),
      ...upstream.signatures,
    ];
    const found: string[] = [];
    for (const [place, texts] of Object.entries(left)) {
      expect([place, texts.length > 3]).toEqual([place, true]);
      for (const text of texts)
        for (const secret of secrets)
          if (text.includes(secret)) found.push(`${place}: …${around(text, secret)}…`);
    }
    expect(found).toEqual([]);
  });
});
