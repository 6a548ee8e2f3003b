import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { runSchema } from '../../src/http/schemas.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { startLoki, type Loki } from '../support/real-servers-loki.ts';
import { startPrometheus, type Prometheus } from '../support/real-servers-prometheus.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Grafana's way from a run's span to its metrics and its log line: its queries, filled in as Grafana does. */
const file = join(import.meta.dirname, '../../deploy/grafana/provisioning/datasources/datasources.yaml');
const { datasources } = z
  .object({ datasources: z.array(z.looseObject({ uid: z.string(), jsonData: z.unknown() })) })
  .parse(parse(readFileSync(file, 'utf8')));
const settingsOf = (uid: string): unknown => datasources.find((one) => one.uid === uid)?.jsonData;
const { tracesToMetrics, tracesToLogsV2 } = z
  .object({
    tracesToMetrics: z.object({
      datasourceUid: z.literal('prometheus'),
      tags: z.array(z.object({ key: z.string(), value: z.string() })),
      queries: z.array(z.object({ name: z.string(), query: z.string() })).min(2),
    }),
    tracesToLogsV2: z.object({ datasourceUid: z.literal('loki'), query: z.string() }),
  })
  .parse(settingsOf('tempo'));
const { derivedFields } = z
  .object({
    derivedFields: z.array(
      z.object({
        matcherType: z.literal('label'),
        matcherRegex: z.string(),
        datasourceUid: z.literal('tempo'),
      }),
    ),
  })
  .parse(settingsOf('loki'));

/** In provisioning files a dollar is written twice. */
const undoubled = (query: string): string => query.replaceAll('$$', '$');

let receiver: OtlpReceiver;
let loki: Loki;
let prometheus: Prometheus;
let service: RunningService;
let answer: z.infer<typeof runSchema>;
beforeAll(async () => {
  [receiver, loki] = await Promise.all([OtlpReceiver.listen(), startLoki()]);
  service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: loki.otlpLogsUrl,
    EMULATOR_LATENCY_MS: '5',
  });
  prometheus = await startPrometheus(service.url);
  answer = await service.run('/bench/s3?strategy=presigned-async');
});
afterAll(async () => {
  await service.stop();
  await Promise.all([prometheus.stop(), loki.stop(), receiver.close()]);
});

describe('from a trace in Grafana', () => {
  it('the link to logs finds the one line of its run', async () => {
    await service.run('/bench/s3?strategy=sdk-async');
    const query = undoubled(tracesToLogsV2.query).replace(`\${__trace.traceId}`, answer.trace.traceId);
    expect(query).not.toContain('$');
    await expect.poll(() => loki.query(query), { timeout: 20_000 }).toHaveLength(1);
    const [line] = await loki.query(query);
    expect(line?.text).toBe(`s3 presigned-async ×10: ok in ${answer.durationMs} ms`);
    expect(line?.labels).toMatchObject({
      service_name: 'fanout-bench',
      trace_id: answer.trace.traceId,
      span_id: answer.trace.spanId,
      severity_text: 'INFO',
      bench_run_id: answer.run.id,
      bench_workload: 's3',
      bench_strategy: 'presigned-async',
      bench_outcome: 'ok',
    });
    // What the way back to the trace looks for.
    expect(derivedFields.map(({ matcherRegex }) => matcherRegex)).toEqual(['trace_id']);
  });

  it.each(tracesToMetrics.queries)('the link to metrics "$name" finds some', async ({ query }) => {
    await receiver.received(13, answer.trace.traceId);
    const { attributes } = receiver.named('run s3 presigned-async', answer.trace.traceId);
    const labels = tracesToMetrics.tags.map(({ key, value }) => `${value}="${String(attributes[key])}"`);
    expect(labels.toSorted()).toEqual(['bench_strategy="presigned-async"', 'bench_workload="s3"']);
    const filled = undoubled(query).replace('$__tags', labels.join(', '));
    expect(filled).not.toContain('$');
    const found = async (): Promise<number> => {
      await service.run('/bench/s3?strategy=presigned-async');
      return [...(await prometheus.query(filled)).values()][0] ?? 0;
    };
    await expect.poll(found, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0);
  });
});
