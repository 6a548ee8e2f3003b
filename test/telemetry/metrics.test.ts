import { afterEach, describe, expect, it, vi } from 'vitest';
import { benchMetric, semanticMetric } from '../../otel/names.ts';
import type { OkTask, RunRecord } from '../../src/record/record.ts';
import { Exposition } from '../support/exposition.ts';
import { emptyOutput, okTask, planOf, recordOf } from '../support/fixtures.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { telemetryWith, type TelemetryUnderTest } from './telemetry-under-test.ts';

let under: TelemetryUnderTest;
let receiver: OtlpReceiver | null = null;
afterEach(async () => {
  await under.end();
  await receiver?.close();
  receiver = null;
});

const noFigures = { parallelism: null, efficiency: null };

async function told(): Promise<Exposition> {
  return new Exposition(await under.telemetry.metrics.text());
}

async function afterRuns(...records: readonly RunRecord[]): Promise<Exposition> {
  under = telemetryWith({ OTEL_TRACES_EXPORTER: 'none' });
  for (const record of records) await under.telemetry.metrics.ran(record, noFigures);
  return told();
}

const failed = (index: number, code: 'upstream_error' | 'run_timeout') => {
  const { output: _, ...facts } = okTask(index);
  return {
    ...facts,
    state: 'failed',
    error: { code, message: 'secret words', upstreamCode: 'Odd' },
  } as const;
};

describe('a run', () => {
  it('is counted once with its duration in seconds, by workload, strategy and all else that is bounded', async () => {
    const plan = planOf({
      workload: 's3',
      strategy: 'presigned-async',
      access: 'presigned',
      client: 'undici',
      pool: 'warm',
      join: 'race',
      runtime: 'node22',
    });
    const metrics = await afterRuns(recordOf({ plan, endedAtNs: 1_500_000_000, outcome: 'tasks_failed' }));
    expect(metrics.of('bench_run_duration_sum')).toEqual([
      {
        name: 'bench_run_duration_sum',
        value: 1.5,
        labels: {
          bench_workload: 's3',
          bench_strategy: 'presigned-async',
          bench_access: 'presigned',
          bench_client: 'undici',
          bench_pool: 'warm',
          bench_join: 'race',
          bench_runtime: 'node22',
          bench_outcome: 'tasks_failed',
        },
      },
    ]);
    expect(metrics.sum('bench_run_duration_count')).toBe(1);
    expect(metrics.sum('bench_run_duration_bucket', { le: '1' })).toBe(0);
    expect(metrics.sum('bench_run_duration_bucket', { le: '2' })).toBe(1);
  });

  it('leaves a wait, a preparation and a duration for each task, in seconds, by state and error code', async () => {
    const { output: _, ...facts } = okTask(2);
    const cancelled = { ...facts, state: 'cancelled' } as const;
    const unstarted = { ...cancelled, index: 3, admittedAtNs: null, startedAtNs: null, endedAtNs: null };
    const tasks = [okTask(0), failed(1, 'upstream_error'), cancelled, unstarted];
    const metrics = await afterRuns(recordOf({ tasks }));
    for (const [state, error] of [
      ['ok', undefined],
      ['failed', 'upstream_error'],
      ['cancelled', undefined],
    ] as const) {
      const [series, ...others] = metrics.of('bench_task_duration_sum', { bench_task_state: state });
      expect(others).toEqual([]);
      expect([series?.value, series?.labels['error_type']]).toEqual([0.003, error]);
    }
    expect(metrics.sum('bench_task_duration_count')).toBe(3);
    expect([metrics.sum('bench_task_queue_count'), metrics.sum('bench_task_queue_sum')]).toEqual([3, 0.003]);
    expect([metrics.sum('bench_task_prepare_count'), metrics.sum('bench_task_prepare_sum')]).toEqual([
      3, 0.003,
    ]);
  });

  it('of ten thousand tasks is recorded whole, and lets others have their turn meanwhile', async () => {
    under = telemetryWith({ OTEL_TRACES_EXPORTER: 'none' });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const tasks = Array.from({ length: 10_000 }, (_, index) => okTask(index));
    await under.telemetry.metrics.ran(recordOf({ tasks }), noFigures);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(40);
    expect((await told()).sum('bench_task_duration_count')).toBe(10_000);
  });

  it('tells parallelism and efficiency where it went well and they are known, and not where it failed', async () => {
    under = telemetryWith({ OTEL_TRACES_EXPORTER: 'none' });
    const { metrics } = under.telemetry;
    await metrics.ran(recordOf(), { parallelism: 3.5, efficiency: null });
    await metrics.ran(recordOf({ outcome: 'run_timeout' }), { parallelism: 1, efficiency: 0.5 });
    const seen = await told();
    expect(seen.of('bench_run_parallelism_sum')).toMatchObject([
      { value: 3.5, labels: { bench_workload: 'fib', bench_strategy: 'async', bench_pool: 'cold' } },
    ]);
    expect(seen.of('bench_run_efficiency_sum')).toEqual([]);
  });

  it('is recorded also where it is not sampled', async () => {
    under = telemetryWith({ OTEL_TRACES_SAMPLER: 'always_off' });
    const record = recordOf();
    await under.telemetry.metrics.ran({ ...record, trace: { ...record.trace, sampled: false } }, noFigures);
    expect((await told()).sum('bench_run_duration_count')).toBe(1);
  });
});

describe('a task that asked a model', () => {
  const labels = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'aws.bedrock',
    'gen_ai.request.model': 'a-model',
    'gen_ai.request.max_tokens': 256,
  };
  const llm = {
    timeToFirstTokenMs: 250,
    timePerOutputTokenMs: 5,
    inputTokens: 40,
    outputTokens: 100,
    stopReason: 'end_turn',
  };
  const answered = (index: number, changes: Partial<typeof llm> = {}): OkTask =>
    okTask(index, {
      labels,
      output: { ...emptyOutput, llm: { ...llm, ...changes }, text: 'secret words' },
    });
  const plan = planOf({ workload: 'bedrock', strategy: 'sdk-single', access: 'sdk' });
  const conventional = {
    gen_ai_operation_name: 'chat',
    gen_ai_provider_name: 'aws.bedrock',
    gen_ai_request_model: 'a-model',
    bench_strategy: 'sdk-single',
  };

  it('is told by the names and labels of the GenAI conventions', async () => {
    const metrics = await afterRuns(recordOf({ plan, tasks: [answered(0)] }));
    expect(metrics.of('gen_ai_client_operation_duration_sum')).toEqual([
      { name: 'gen_ai_client_operation_duration_sum', labels: conventional, value: 0.003 },
    ]);
    expect(metrics.of('gen_ai_client_operation_time_to_first_chunk_sum')).toEqual([
      { name: 'gen_ai_client_operation_time_to_first_chunk_sum', labels: conventional, value: 0.25 },
    ]);
    expect(metrics.of('gen_ai_client_token_usage_sum')).toEqual([
      {
        name: 'gen_ai_client_token_usage_sum',
        labels: { ...conventional, gen_ai_token_type: 'input' },
        value: 40,
      },
      {
        name: 'gen_ai_client_token_usage_sum',
        labels: { ...conventional, gen_ai_token_type: 'output' },
        value: 100,
      },
    ]);
  });

  it('has no time to the first chunk where it was not streamed, and no tokens where none were told', async () => {
    const mute = { timeToFirstTokenMs: null, inputTokens: null, outputTokens: null };
    const tasks = [okTask(0, { labels, output: { ...emptyOutput, llm: { ...llm, ...mute } } })];
    const metrics = await afterRuns(recordOf({ plan, tasks }));
    expect(metrics.sum('gen_ai_client_operation_duration_count')).toBe(1);
    expect(metrics.sum('gen_ai_client_operation_time_to_first_chunk_count')).toBe(0);
    expect(metrics.sum('gen_ai_client_token_usage_count')).toBe(0);
  });

  it('that failed says by which code, and one that was cancelled is left out', async () => {
    const { output: _, ...facts } = okTask(1, { labels });
    const tasks = [{ ...failed(0, 'upstream_error'), labels }, { ...facts, state: 'cancelled' } as const];
    const metrics = await afterRuns(recordOf({ plan, tasks }));
    expect(metrics.of('gen_ai_client_operation_duration_count')).toMatchObject([
      { value: 1, labels: { ...conventional, error_type: 'upstream_error' } },
    ]);
    expect(metrics.sum('gen_ai_client_token_usage_count')).toBe(0);
  });

  it('has the bucket boundaries of the conventions', async () => {
    const metrics = await afterRuns(recordOf({ plan, tasks: [answered(0)] }));
    const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    expect(metrics.boundaries('gen_ai_client_operation_duration')).toEqual(seconds);
    expect(metrics.boundaries('gen_ai_client_operation_time_to_first_chunk')).toEqual(seconds);
    expect(metrics.boundaries('gen_ai_client_token_usage')).toEqual([
      1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
    ]);
  });
});

describe('the service', () => {
  it('tells its state when it is asked', async () => {
    under = telemetryWith({ OTEL_TRACES_EXPORTER: 'none' });
    const admission = { runsInFlight: 2, runsWaiting: 5 };
    under.telemetry.metrics.watch({ admission, supervisor: { restarts: 1 } });
    under.telemetry.metrics.begun(planOf(), 250);
    under.telemetry.metrics.rejected('busy');
    const first = await told();
    expect(first.sum('bench_runs_in_flight')).toBe(2);
    expect(first.sum('bench_runs_waiting')).toBe(5);
    expect(first.sum('bench_runner_restarts_total')).toBe(1);
    expect(first.sum('bench_spans_dropped_total')).toBe(0);
    expect(first.of('bench_run_queue_sum')).toMatchObject([
      { value: 0.25, labels: { bench_workload: 'fib', bench_strategy: 'async' } },
    ]);
    expect(first.sum('bench_runs_rejected_total', { error_type: 'busy' })).toBe(1);
    // There before it ever happened, so that the first one is an increase.
    expect(first.of('bench_runs_rejected_total', { error_type: 'shutting_down' })).toMatchObject([
      { value: 0 },
    ]);
    admission.runsInFlight = 0;
    expect((await told()).sum('bench_runs_in_flight')).toBe(0);
  });

  it('counts the spans that the collector did not get', async () => {
    receiver = await OtlpReceiver.listen();
    receiver.behaviour = 'refuse';
    under = telemetryWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '5' });
    const { telemetry } = under;
    const trace = telemetry.allotIds(planOf());
    await telemetry.emit(recordOf({ trace }));
    await expect.poll(async () => (await told()).sum('bench_spans_dropped_total')).toBe(4);
  });

  it('says nothing of its machine, and what else its resource says', async () => {
    under = telemetryWith({
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab',
      OTEL_SERVICE_NAME: 'one',
    });
    const [info] = (await told()).of('target_info');
    expect(info?.labels).toMatchObject({ service_name: 'one', deployment_environment_name: 'lab' });
    const names = Object.keys(info?.labels ?? {});
    expect(names.filter((name) => /^(?:process|host|os)_/u.test(name))).toEqual([]);
  });
});

describe('OTEL_METRICS_EXPORTER', () => {
  const often = { OTEL_METRIC_EXPORT_INTERVAL: '50', OTEL_TRACES_EXPORTER: 'none' };

  async function startWith(variables: Readonly<Record<string, string>>): Promise<OtlpReceiver> {
    receiver = await OtlpReceiver.listen();
    under = telemetryWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...often, ...variables });
    await under.telemetry.metrics.ran(recordOf(), noFigures);
    return receiver;
  }
  it.each(['otlp', 'prometheus, otlp'])(
    '"%s" pushes them as OTLP, and /metrics has them too',
    async (value) => {
      const collector = await startWith({ OTEL_METRICS_EXPORTER: value });
      await expect.poll(() => collector.metrics.length).toBeGreaterThan(1);
      for (const name of [benchMetric.runDuration, benchMetric.taskQueue, benchMetric.spansDropped])
        expect(collector.metrics.at(-1)).toContain(`"name":"${name}"`);
      expect((await told()).sum('bench_run_duration_count')).toBe(1);
      expect(under.notices).toEqual([]);
    },
  );

  it.each(['', 'prometheus', 'console, prometheus'])('"%s" pushes nothing to a collector', async (value) => {
    const printed = vi.spyOn(console, 'dir').mockImplementation(() => {});
    const collector = await startWith({ OTEL_METRICS_EXPORTER: value });
    expect((await told()).sum('bench_run_duration_count')).toBe(1);
    await under.end();
    expect(collector.requests).toBe(0);
    expect(printed.mock.calls.length > 0).toBe(value.includes('console'));
    printed.mockRestore();
  });

  it.each([{ OTEL_METRICS_EXPORTER: 'none' }, { OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }])(
    'with %j there are none, and /metrics says so',
    async (variables) => {
      const collector = await startWith(variables);
      const text = await under.telemetry.metrics.text();
      expect(text).toMatch(/^# .*no metrics/u);
      expect(new Exposition(text).series).toEqual([]);
      await under.end();
      expect(collector.requests).toBe(0);
    },
  );

  it('takes the protocol of OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', async () => {
    const collector = await startWith({
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    });
    // The receiver reads JSON alone.
    await expect.poll(() => under.notices).toMatchObject([{ code: 'metrics_refused' }]);
    expect(collector.metrics).toEqual([]);
  });

  it('says once that a collector takes no metrics, and once that it does again', async () => {
    const collector = await startWith({ OTEL_METRICS_EXPORTER: 'otlp' });
    await expect.poll(() => collector.metrics.length).toBeGreaterThan(0);
    collector.behaviour = 'refuse';
    const before = collector.requests;
    await expect.poll(() => collector.requests).toBeGreaterThan(before + 3);
    collector.behaviour = 'accept';
    const accepted = collector.metrics.length;
    await expect.poll(() => collector.metrics.length).toBeGreaterThan(accepted + 1);
    expect(under.notices.map(({ level, code }) => [level, code])).toEqual([
      ['warn', 'metrics_refused'],
      ['info', 'metrics_accepted'],
    ]);
    expect(under.notices[0]?.message).toContain(`${collector.url}/v1/metrics`);
  });

  it.each([
    [{ OTEL_METRICS_EXPORTER: 'prometheus, graphite' }, 'graphite'],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '9464' }, '9464'],
    [
      { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'carrier-pigeon' },
      'carrier-pigeon',
    ],
  ])('%j is said not to be supported', async (variables, named) => {
    await startWith(variables);
    expect(under.notices).toMatchObject([{ level: 'warn', code: 'unsupported_setting' }]);
    expect(under.notices[0]?.message).toContain(named);
    expect((await told()).sum('bench_run_duration_count')).toBe(1);
  });
});

it('metrics keep the names that they have', () => {
  expect(Object.values(benchMetric)).toEqual([
    'bench.run.duration',
    'bench.run.queue',
    'bench.run.parallelism',
    'bench.run.efficiency',
    'bench.task.duration',
    'bench.task.queue',
    'bench.task.prepare',
    'bench.runs.in_flight',
    'bench.runs.waiting',
    'bench.runs.rejected',
    'bench.runner.restarts',
    'bench.spans.dropped',
  ]);
  expect(Object.values(semanticMetric)).toContain('gen_ai.client.operation.time_to_first_chunk');
});
