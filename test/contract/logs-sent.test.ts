import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OtlpReceiver, type ReceivedLog } from '../support/otlp-receiver.ts';
import { startService, type RunningService } from '../support/service.ts';

/** A service that is asked to send its log to a collector. */
let receiver: OtlpReceiver;
let service: RunningService;
beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
});
afterEach(async () => {
  await service.stop();
  await receiver.close();
});

async function start(variables: Readonly<Record<string, string>> = {}): Promise<void> {
  service = await startService({
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BLRP_SCHEDULE_DELAY: '50',
    ...variables,
  });
}

/** The one record of a run, waited for. */
async function recordOf(runId: string): Promise<ReceivedLog | undefined> {
  const ofRun = (): ReceivedLog[] =>
    receiver.logs.filter(({ attributes }) => attributes['bench.run.id'] === runId);
  await expect.poll(() => ofRun().length).toBe(1);
  return ofRun()[0];
}

describe('the log, sent to a collector', () => {
  it('has the record of each run in its trace, with the names of its spans, and the same lines on standard output', async () => {
    await start({ OTEL_SERVICE_NAME: 'mine' });
    const { run, trace, durationMs } = await service.run('/bench/fib?n=5&tasks=2&strategy=threads');
    const record = await recordOf(run.id);
    expect(record).toEqual({
      traceId: trace.traceId,
      spanId: trace.spanId,
      severity: [9, 'INFO'],
      body: `fib threads ×2: ok in ${durationMs} ms`,
      timeNs: expect.any(BigInt),
      attributes: {
        'bench.run.id': run.id,
        'bench.workload': 'fib',
        'bench.strategy': 'threads',
        'bench.outcome': 'ok',
        'http.response.status_code': 200,
        'bench.run.duration_ms': durationMs,
      },
      resource: expect.objectContaining({ 'service.name': 'mine' }),
    });
    const line = service.log.find((one) => one.includes(run.id)) ?? '';
    const { time } = JSON.parse(line);
    expect(record?.timeNs).toBe(BigInt(Date.parse(time)) * 1_000_000n);
    expect(receiver.logs).toHaveLength(service.log.length);
  });

  it('has the severity of a run that failed', async () => {
    await start();
    const { run } = await service.failedRun('/bench/sleep?strategy=async&ms=5000&tasks=1&timeoutMs=30', 504);
    expect(await recordOf(run.id)).toMatchObject({
      severity: [13, 'WARN'],
      attributes: { 'bench.outcome': 'run_timeout', 'http.response.status_code': 504 },
    });
  });

  it('has all of it when the service ends, the last words included', async () => {
    await start({ OTEL_BLRP_SCHEDULE_DELAY: '600000' });
    await service.run('/bench/fib?n=5&tasks=2');
    expect(receiver.logs).toEqual([]);
    expect(await service.stop()).toBe(0);
    expect(receiver.logs.map(({ body }) => body)).toContain('SIGTERM: shutting down');
    expect(receiver.logs).toHaveLength(service.log.length);
  });

  it('says once that nobody takes it, however often that is tried, and goes on', async () => {
    receiver.behaviour = 'refuse';
    await start();
    for (let count = 0; count < 5; count += 1) {
      const before = receiver.requests;
      await service.run('/bench/fib?n=5&tasks=1');
      await expect.poll(() => receiver.requests).toBeGreaterThan(before);
    }
    const warnings = (): string[] => service.log.filter((line) => line.includes('"code":"logs_refused"'));
    await expect.poll(() => warnings().length).toBe(1);
    expect(warnings()[0]).toContain(`${receiver.url}/v1/logs does not accept logs`);
    receiver.behaviour = 'accept';
    await service.run('/bench/fib?n=5&tasks=1');
    await expect
      .poll(() => service.log.filter((line) => line.includes('"code":"logs_accepted"')).length)
      .toBe(1);
    expect(warnings()).toHaveLength(1);
  });

  it('goes nowhere unless that is asked for, and says what it does not know', async () => {
    service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await service.run('/bench/fib?n=5&tasks=1');
    await service.stop();
    await start({ OTEL_LOGS_EXPORTER: 'syslog' });
    expect(service.log.find((line) => line.includes('unsupported_setting'))).toContain(
      'OTEL_LOGS_EXPORTER: \\"syslog\\" is not supported and ignored; it takes otlp, console, none.',
    );
    await service.stop();
    expect(receiver.requests).toBe(0);
  });
});
