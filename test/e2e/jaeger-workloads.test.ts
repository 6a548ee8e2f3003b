import { beforeAll, describe, expect, it } from 'vitest';
import { emulatorCredentials, emulatorModelId } from '../../src/emulator/credentials.ts';
import type { Jaeger } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { cells, type Cell } from './matrix.ts';
import { endUs, pictureOf, type Picture } from './picture.ts';

/** What the workloads that ask a server tell of each request, in every form and strategy, read back from a real Jaeger. */
const tasks = 2;

let jaeger: Jaeger;
let service: RunningService;
beforeAll(async () => {
  // A model takes fifty times the latency and more.
  const settings = { EMULATOR_LATENCY_MS: '4', OTEL_BSP_SCHEDULE_DELAY: '50' };
  const traced = await startServiceWithJaeger(settings);
  ({ service, jaeger } = traced);
  return traced.stop;
});

const forms = [
  { query: 'op=converse', method: 'Converse', streamed: false },
  { query: 'op=converse&stream=true', method: 'ConverseStream', streamed: true },
  { query: 'op=invoke', method: 'InvokeModel', streamed: false },
  { query: 'op=invoke&stream=true', method: 'InvokeModelWithResponseStream', streamed: true },
];

describe.each(forms)('bedrock with $query', ({ query, method, streamed }) => {
  it.each(cellsOf('bedrock'))('$title: every task tells its call and what it took', async (cell) => {
    const picture = await draw(cell, query);
    for (const { tags } of picture.tasks) {
      expect(tags).toMatchObject({
        'http.request.method': 'POST',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'rpc.system.name': 'aws-api',
        'rpc.method': `BedrockRuntime/${method}`,
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'aws.bedrock',
        'gen_ai.request.model': emulatorModelId,
        'gen_ai.request.max_tokens': 256,
        'gen_ai.request.stream': streamed,
        'gen_ai.response.finish_reasons': '["end_turn"]',
        'gen_ai.usage.input_tokens': expect.any(Number),
        'gen_ai.usage.output_tokens': expect.any(Number),
      });
      expect(Number(tags['gen_ai.usage.output_tokens'])).toBeGreaterThan(10);
      expect('gen_ai.response.time_to_first_chunk' in tags).toBe(streamed);
      // What was asked and answered is told only where it is asked for.
      expect(Object.keys(tags).filter((name) => name.endsWith('.messages'))).toEqual([]);
    }
  });
});

it.each(cellsOf('sts'))('$title: every task tells its call', async (cell) => {
  const picture = await draw(cell, '');
  for (const { tags } of picture.tasks) {
    expect(tags).toMatchObject({
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'rpc.system.name': 'aws-api',
      'rpc.method': 'STS/GetCallerIdentity',
    });
    expect(tags['http.request.method']).toBe('POST');
  }
});

it.each(cellsOf('http'))('$title: every task tells its request, and nothing of AWS', async (cell) => {
  const picture = await draw(cell, '');
  for (const [index, { tags }] of picture.tasks.entries()) {
    expect(tags).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'url.full': expect.stringMatching(new RegExp(`/pages/${index}$`, 'u')),
    });
    expect(Object.keys(tags).filter((name) => /^(aws|rpc|gen_ai)\./u.test(name))).toEqual([]);
  }
});

function cellsOf(workload: string): readonly Cell[] {
  return cells.filter((cell) => cell.workload.name === workload);
}

/** A run's picture, which holds what each has to: its tasks, once each, under and inside the run, and no secret. */
async function draw({ path, workload }: Cell, query: string): Promise<Picture> {
  const body = await service.run(`${path}&tasks=${tasks}&${query}`.replace(/&$/u, ''));
  const picture = await pictureOf(jaeger, body);
  const { run, spans } = picture;
  const named = (name: string): number => spans.filter((span) => span.name.startsWith(name)).length;
  expect([named(`task ${workload.name} `), named('sign')]).toEqual([tasks, body.signing === null ? 0 : 1]);
  expect(spans).toHaveLength(2 + tasks + named('sign'));
  for (const task of picture.tasks) {
    expect(task.parentSpanId).toBe(run.spanId);
    expect(task.startUs).toBeGreaterThanOrEqual(run.startUs);
    // Jaeger cuts starts and lengths down to whole microseconds.
    expect(endUs(task)).toBeLessThanOrEqual(endUs(run) + 1);
  }
  const told = JSON.stringify(spans);
  expect(told).not.toContain(emulatorCredentials.accessKeyId);
  expect(told).not.toContain(emulatorCredentials.secretAccessKey);
  expect(told).not.toMatch(/X-Amz-(Signature|Credential|Security-Token)=(?!REDACTED)/iu);
  // What a signature looks like, wherever it may stand.
  expect(told).not.toMatch(/[0-9a-f]{64}/iu);
  return picture;
}
