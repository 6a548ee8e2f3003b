import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { slicesOf, type SpanSettings } from '../../otel/spans.ts';
import { traceJson } from '../../otel/trace-json.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { attempt, failedTask, okTask, plan, runOf } from './run-records.ts';

const attributes = { 'service.name': 'x', odd: '"spans":[]}]}]}]' };
const settings: SpanSettings = {
  resource: resourceFromAttributes(attributes),
  withContent: false,
  limits: null,
};

/** A run with `detail=phases`: seven spans a task, one of which failed with words like the file's own. */
function runWith(tasks: number): RunRecord {
  const error = { code: 'upstream_error', message: '"spans":[{}]}]}]}', upstreamCode: null } as const;
  return runOf(
    Array.from({ length: tasks }, (_, index) =>
      index === 1 ? failedTask(index, { error }) : okTask(index, { attempts: [attempt] }),
    ),
    {
      traceId: '1'.repeat(32),
      parentSpanId: null,
      sampled: true,
      runSpanId: '2'.repeat(16),
      signSpanId: '3'.repeat(16),
      taskSpanIds: Array.from({ length: tasks }, (_, index) => (index + 1).toString(16).padStart(16, '0')),
      linkedTo: null,
    },
    { plan: { ...plan, tasks, detail: 'phases' } },
  );
}

/** The span of a request, as the HTTP instrumentation ends it. */
function serverSpan(): ReadableSpan {
  const ended: ReadableSpan[] = [];
  const keep = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new TracerProvider({ resource: settings.resource, spanProcessors: [keep] });
  provider.getTracer('http', '1', { schemaUrl: 'https://schemas/http' }).startSpan('GET').end();
  const [span] = ended;
  if (span === undefined) throw new Error('no span ended');
  return span;
}

async function atOnce(record: RunRecord, before: readonly ReadableSpan[], like = settings): Promise<string> {
  const spans = (await Array.fromAsync(slicesOf(record, like))).flat();
  return new TextDecoder().decode(JsonTraceSerializer.serializeRequest([...before, ...spans]));
}

describe('the pieces of a trace.json', () => {
  test.each([0, 1, 2, 28, 29, 500])('are what the SDK makes of all at once: %i tasks', async (tasks) => {
    const record = runWith(tasks);
    const request = serverSpan();
    for (const [given, before] of [
      [null, []],
      [request, [request]],
    ] as const) {
      const pieces = await Array.fromAsync(traceJson(record, settings, given));
      expect(pieces.join('')).toBe(await atOnce(record, before));
    }
  });

  test('are so too where the resource has a schema', async () => {
    const withSchema = {
      ...settings,
      resource: resourceFromAttributes(attributes, { schemaUrl: 'https://schemas/1.45.0' }),
    };
    const record = runWith(100);
    const pieces = await Array.fromAsync(traceJson(record, withSchema, null));
    const whole = await atOnce(record, [], withSchema);
    expect(whole).toContain('"schemaUrl":"https://schemas/1.45.0"');
    expect(pieces.join('')).toBe(whole);
  });

  test('are of a bounded length, and the event loop has its turn between any two', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const turnsBefore: number[] = [];
    const spans: number[] = [];
    for await (const piece of traceJson(runWith(2_000), settings, null)) {
      turnsBefore.push(turns);
      spans.push(piece.split('"spanId"').length - 1);
    }
    clearImmediate(next);
    expect(spans.reduce((sum, some) => sum + some, 0)).toBeGreaterThan(12_000);
    expect(Math.max(...spans)).toBeLessThan(250);
    // The last piece is but the end of the last spans.
    const ofSpans = turnsBefore.slice(0, -1);
    expect(new Set(ofSpans).size).toBe(ofSpans.length);
  });
});
