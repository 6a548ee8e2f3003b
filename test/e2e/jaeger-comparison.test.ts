import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import type { Jaeger } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';

/** A comparison, as a real Jaeger shows it. */
let service: RunningService;
let jaeger: Jaeger;
let stop: () => Promise<void>;
beforeAll(async () => {
  ({ service, jaeger, stop } = await startServiceWithJaeger());
});
afterAll(() => stop());

describe('a comparison in Jaeger', () => {
  it('is one trace with a span a run, each of which leads to the run and back', async () => {
    const { text } = await service.get(
      '/compare/s3?strategies=sdk-async,presigned-async&baseline=sdk-async&rounds=2&warmup=0&tasks=2',
    );
    const { trace, cells, order } = comparisonSchema.parse(JSON.parse(text));
    const own = await jaeger.trace(trace?.traceId ?? '', { atLeast: 2 + 4 });
    const rounds = own.filter(({ name }) => name.startsWith('round '));
    expect(rounds.toSorted((a, b) => a.startUs - b.startUs).map(({ name }) => name)).toEqual(
      order.map(({ round, strategy }) => `round ${round} ${strategy}`),
    );
    expect(own).toHaveLength(2 + 4);
    const urls = cells.flatMap(({ results }) => results.flatMap(({ traces }) => traces));
    expect(urls).toHaveLength(4);
    for (const url of urls) {
      const traceId = url.split('/').at(-1) ?? '';
      const spans = await jaeger.trace(traceId, { atLeast: 1 + 2 });
      const run = spans.find(({ name }) => name.startsWith('run s3 '));
      const standing = rounds.find(({ spanId }) => run?.links.some((link) => link.spanId === spanId));
      expect(run?.links).toEqual([{ traceId: trace?.traceId, spanId: standing?.spanId }]);
      expect(standing?.links).toEqual([{ traceId, spanId: run?.spanId }]);
      expect(spans.filter(({ name }) => name.startsWith('task s3 '))).toHaveLength(2);
    }
  });
});
