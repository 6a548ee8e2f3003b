import { beforeAll, expect, it } from 'vitest';
import type { Jaeger } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';

/** The inside of tasks, read back from a real Jaeger. */
let jaeger: Jaeger;
let service: RunningService;
beforeAll(async () => {
  const traced = await startServiceWithJaeger();
  ({ service, jaeger } = traced);
  return traced.stop;
});

it.each([
  ['s3?strategy=sdk-threads', false, ['connect', 'ttfb', 'download']],
  ['s3?strategy=presigned-async&client=got', true, ['connect', 'ttfb', 'download']],
  ['s3?strategy=presigned-async&client=undici', true, ['connect', 'ttfb', 'download']],
  ['http?strategy=isolate-threads', false, ['connect', 'ttfb', 'download']],
  ['bedrock?strategy=sdk-async&stream=true', false, ['connect', 'ttfb', 'download', 'first token']],
])('%s: shows queue, prepare and the parts of each request', async (query, signs, parts) => {
  const body = await service.run(`/bench/${query}&tasks=2&detail=phases`);
  const { workload, strategy } = body.run;
  // Server, run, and for each task its own span, queue, prepare, its request and the request's parts.
  const expected = 2 + (signs ? 1 : 0) + 2 * (4 + parts.length);
  const spans = await jaeger.trace(body.trace.traceId, { atLeast: expected });
  const named = (name: string) => spans.filter((span) => span.name === name);
  expect(spans).toHaveLength(expected);
  const [run] = named(`run ${workload} ${strategy}`);
  for (const index of [0, 1]) {
    const [task] = named(`task ${workload} ${index}`);
    for (const before of ['queue', 'prepare']) {
      const [span] = named(`${before} ${workload} ${index}`);
      expect(span?.parentSpanId).toBe(run?.spanId);
    }
    const request = spans.find(({ parentSpanId }) => parentSpanId === task?.spanId);
    expect(request?.name).toMatch(/^(GET|POST)$/);
    const inside = spans
      .filter(({ parentSpanId }) => parentSpanId === request?.spanId)
      .map(({ name }) => name);
    expect(inside.toSorted((a, b) => a.localeCompare(b))).toEqual(
      parts.toSorted((a, b) => a.localeCompare(b)),
    );
  }
});
