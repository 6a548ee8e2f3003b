import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Telemetry } from '../../otel/sdk.ts';
import type { RunRecord } from '../../src/record/record.ts';
import type { OtlpReceiver, ReceivedSpan } from '../support/otlp-receiver.ts';
import {
  attempt,
  cancelledTask,
  epochNs,
  failedTask,
  neverStarted,
  okTask,
  plan,
  runOf,
} from './run-records.ts';
import { receivedTelemetry } from './telemetry-under-test.ts';

let receiver: OtlpReceiver;
let telemetry: Telemetry;
let end: () => Promise<void>;
async function start(variables: Readonly<Record<string, string>> = {}): Promise<void> {
  ({ receiver, telemetry, end } = await receivedTelemetry(variables));
}
beforeEach(() => start());
afterEach(() => end());

/** A run with `detail=phases`, emitted and received. */
async function received(
  tasks: RunRecord['tasks'],
  attempts = 1,
): Promise<{ record: RunRecord; all: ReceivedSpan[] }> {
  const detailed = { ...plan, tasks: tasks.length, detail: 'phases', attempts } as const;
  const ids = telemetry.allotIds(detailed);
  const record = runOf(tasks, ids, { plan: detailed });
  const room = await telemetry.reserveRoom(detailed);
  await telemetry.emit(record);
  room.release();
  await telemetry.flush();
  return { record, all: receiver.byTrace(ids.traceId) };
}

/** The tree below a span: name and children, in the order of their starts. */
type Tree = readonly [string, readonly Tree[]];
function treeOf(spans: readonly ReceivedSpan[], parent: string): readonly Tree[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .toSorted((a, b) => Number(a.startNs - b.startNs) || a.name.localeCompare(b.name))
    .map(({ name, spanId }) => [name, treeOf(spans, spanId)]);
}

/** Of a task's attempts: which it was, and how it ended. */
function outcomesOf(all: readonly ReceivedSpan[], index: number): readonly unknown[] {
  const task = all.find(({ name }) => name === `task s3 ${index}`);
  return all
    .filter(({ parentSpanId }) => parentSpanId === task?.spanId)
    .map(({ status, attributes }) => [
      attributes['http.request.resend_count'] ?? 0,
      status.code,
      attributes['error.type'],
    ])
    .toSorted(([one], [other]) => Number(one) - Number(other));
}

describe('detail=phases', () => {
  test('adds queue and prepare to the run, and to each task its attempts with their parts', async () => {
    const { record, all } = await received([okTask(3, { index: 0, attempts: [attempt] })]);
    expect(treeOf(all, record.trace.runSpanId)).toEqual([
      ['sign', []],
      ['queue s3 0', []],
      ['prepare s3 0', []],
      [
        'task s3 0',
        [
          [
            'GET',
            [
              ['connect', []],
              ['ttfb', []],
              ['download', []],
            ],
          ],
        ],
      ],
    ]);
    const [task] = record.tasks;
    const named = (name: string) => all.find((span) => span.name === name);
    expect(named('queue s3 0')).toMatchObject({
      kind: 'INTERNAL',
      startNs: epochNs(task?.queuedAtNs ?? 0),
      endNs: epochNs(task?.admittedAtNs ?? 0),
    });
    expect(named('prepare s3 0')).toMatchObject({
      startNs: epochNs(task?.admittedAtNs ?? 0),
      endNs: epochNs(task?.startedAtNs ?? 0),
    });
    expect(named('GET')).toMatchObject({
      kind: 'CLIENT',
      startNs: epochNs(attempt.startedAtNs),
      endNs: epochNs(40_000_000),
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'server.port': 9000,
        'url.full': attempt.url,
      },
    });
  });

  test('a task that was tried again has a span for each attempt, the later ones counted', async () => {
    const first = {
      ...attempt,
      statusCode: 503,
      endedAtNs: 10_000_000,
      phases: { ...attempt.phases, ttfb: null, download: null },
    };
    const second = { ...attempt, startedAtNs: 12_000_000, phases: { ...attempt.phases, connect: null } };
    const { all } = await received([okTask(0, { attempts: [first, second] })], 2);
    const calls = all.filter(({ name }) => name === 'GET').toSorted((a, b) => Number(a.startNs - b.startNs));
    expect(
      calls.map(({ status, attributes }) => [
        status.code,
        attributes['error.type'],
        attributes['http.request.resend_count'],
      ]),
    ).toEqual([
      ['ERROR', '503', undefined],
      ['UNSET', undefined, 1],
    ]);
    expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
  });

  test('an exchange that was cut off failed, but not one that its task had no more use for', async () => {
    const whole = attempt;
    const cut = { ...attempt, complete: false };
    const unanswered = { ...cut, statusCode: null, endedAtNs: null };
    const { all } = await received(
      [
        failedTask(0, { attempts: [cut, unanswered] }),
        okTask(1, { attempts: [unanswered, cut] }),
        cancelledTask(2, { attempts: [unanswered] }),
        failedTask(3, { attempts: [whole] }),
      ],
      2,
    );
    expect(outcomesOf(all, 0)).toEqual([
      [0, 'ERROR', '_OTHER'],
      [1, 'ERROR', '_OTHER'],
    ]);
    expect(outcomesOf(all, 1)).toEqual([
      [0, 'ERROR', '_OTHER'],
      [1, 'UNSET', undefined],
    ]);
    expect(outcomesOf(all, 2)).toEqual([[0, 'UNSET', undefined]]);
    expect(outcomesOf(all, 3)).toEqual([[0, 'UNSET', undefined]]);
  });

  test('no part reaches beyond its attempt, and no attempt beyond its task', async () => {
    const late = {
      ...attempt,
      startedAtNs: 0,
      endedAtNs: 90_000_000,
      phases: { ...attempt.phases, download: { fromNs: 34_500_000, toNs: 90_000_000 } },
    };
    const { all } = await received([okTask(0, { attempts: [late] })]);
    for (const span of all) {
      const parent = all.find(({ spanId }) => spanId === span.parentSpanId);
      expect(span.startNs).toBeGreaterThanOrEqual(parent?.startNs ?? 0n);
      expect(span.endNs).toBeLessThanOrEqual(parent?.endNs ?? span.endNs);
    }
  });

  test('a streamed answer has the time to its first token', async () => {
    const llm = {
      timeToFirstTokenMs: 20,
      timePerOutputTokenMs: 1,
      inputTokens: 1,
      outputTokens: 9,
      stopReason: 'end_turn',
    };
    const output = { value: null, body: null, text: 'secret words', llm };
    const { all } = await received([okTask(0, { attempts: [attempt], output })]);
    expect(all.find(({ name }) => name === 'first token')).toMatchObject({
      startNs: epochNs(4_000_000),
      endNs: epochNs(24_000_000),
    });
    const told = all.flatMap(({ attributes }) => Object.values(attributes).map(String));
    expect(told.join()).not.toContain('secret words');
  });

  test('a task that never began has its wait alone, to the end of the run', async () => {
    const { record, all } = await received([failedTask(0, neverStarted)]);
    const names = all
      .filter(({ parentSpanId }) => parentSpanId === record.trace.runSpanId)
      .map(({ name }) => name);
    expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(['queue s3 0', 'sign', 'task s3 0']);
    expect(all.find(({ name }) => name === 'queue s3 0')?.endNs).toBe(epochNs(record.endedAtNs));
  });

  test('of a thousand tasks no span is lost, and the file has the same spans', async () => {
    const tasks = Array.from({ length: 1_000 }, (_, index) => okTask(index, { attempts: [attempt] }));
    const { record } = await received(tasks);
    await receiver.received(2 + 7 * 1_000, record.trace.traceId);
    expect(telemetry.counts.dropped).toBe(0);
    const file = JSON.parse(await text(telemetry.traceJson(record)));
    const ids: string[] = file.resourceSpans[0].scopeSpans[0].spans.map(
      ({ spanId }: { spanId: string }) => spanId,
    );
    expect(ids.toSorted((a, b) => a.localeCompare(b))).toEqual(
      receiver
        .byTrace(record.trace.traceId)
        .map(({ spanId }) => spanId)
        .toSorted((a, b) => a.localeCompare(b)),
    );
  });
});

describe('what a model answered', () => {
  const llm = {
    timeToFirstTokenMs: null,
    timePerOutputTokenMs: null,
    inputTokens: 7,
    outputTokens: 9,
    stopReason: 'end_turn',
  };
  const output = { value: null, body: null, text: 'secret words', llm };

  const asked = {
    'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"secret question"}]}]',
  };

  test('is in no span, but what it took is', async () => {
    const { all } = await received([okTask(0, { output, labels: asked })]);
    const told = JSON.stringify(all.map(({ attributes }) => attributes));
    expect(told).not.toContain('secret words');
    expect(told).not.toContain('secret question');
    expect(all.find(({ name }) => name === 'task s3 0')?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 9,
      'gen_ai.response.finish_reasons': ['end_turn'],
    });
  });

  test('is there where it is asked for', async () => {
    await end();
    await start({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' });
    const { all } = await received([okTask(0, { output, labels: asked })]);
    expect(all.find(({ name }) => name === 'task s3 0')?.attributes).toMatchObject(asked);
    const messages = all.find(({ name }) => name === 'task s3 0')?.attributes['gen_ai.output.messages'];
    expect(JSON.parse(String(messages))).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'secret words' }], finish_reason: 'end_turn' },
    ]);
  });
});
