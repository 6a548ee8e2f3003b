import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
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
beforeAll(async () => {
  const under = await receivedTelemetry();
  ({ receiver, telemetry } = under);
  return under.end;
});

beforeEach(() => {
  receiver.spans.length = 0;
});

/** A record of these tasks, emitted and received: its run span and all spans of its trace. */
async function received(
  tasks: RunRecord['tasks'],
  changes: Partial<RunRecord> = {},
): Promise<{ run: ReceivedSpan; tasks: ReceivedSpan[]; all: ReceivedSpan[]; record: RunRecord }> {
  const signed = changes.signing !== null;
  const ids = telemetry.allotIds({
    ...plan,
    access: signed ? 'presigned' : 'sdk',
    tasks: tasks.length,
  });
  const record = runOf(tasks, ids, changes);
  await telemetry.emit(record);
  await telemetry.flush();
  const run = receiver.named(`run ${record.plan.workload} ${record.plan.strategy}`, ids.traceId);
  return { run, tasks: receiver.taskSpans(ids.traceId), all: receiver.byTrace(ids.traceId), record };
}

describe('a run', () => {
  test('leaves a run span, a sign span and one span per task, with the ids that were allotted', async () => {
    const { run, tasks, all, record } = await received([okTask(0), okTask(1), okTask(2)]);
    expect(all.map(({ name }) => name).toSorted()).toEqual([
      'run s3 presigned-async',
      'sign',
      'task s3 0',
      'task s3 1',
      'task s3 2',
    ]);
    expect(all.every(({ kind }) => kind === 'INTERNAL')).toBe(true);
    expect(all.every(({ status }) => status.code === 'UNSET')).toBe(true);
    expect(receiver.children(run)).toHaveLength(4);
    expect(run.spanId).toBe(record.trace.runSpanId);
    expect(receiver.named('sign').spanId).toBe(record.trace.signSpanId);
    expect(tasks.map(({ spanId }) => spanId)).toEqual(record.trace.taskSpanIds);
  });

  test('that signs nothing has no sign span', async () => {
    const { all } = await received([okTask(0)], { signing: null });
    expect(all.map(({ name }) => name)).not.toContain('sign');
  });

  test('with no request around it begins its own trace', async () => {
    const { run, record } = await received([okTask(0)]);
    expect(run.parentSpanId).toBeNull();
    expect(run.traceId).toBe(record.trace.traceId);
  });

  test('carries what was run and how, and comes from the service fanout-bench', async () => {
    const { run } = await received([okTask(0), okTask(1)]);
    expect(run.attributes).toEqual({
      'bench.run.id': 'run-1',
      'bench.workload': 's3',
      'bench.strategy': 'presigned-async',
      'bench.access': 'presigned',
      'bench.tasks': 2,
      'bench.concurrency': 2,
      'bench.pool': 'cold',
      'bench.join': 'all',
      'bench.client': 'got',
      'bench.runtime': 'node26',
      'bench.target': 'emulator',
      'bench.outcome': 'ok',
    });
    expect(run.resource['service.name']).toBe('fanout-bench');
    expect(run.scope).toBe('fanout-bench');
  });

  test('leaves out access and client where there is none', async () => {
    const changes = { workload: 'fib', strategy: 'async', access: null, client: null } as const;
    const { run } = await received([okTask(0)], { plan: { ...plan, ...changes }, signing: null });
    expect(Object.keys(run.attributes)).not.toContain('bench.access');
    expect(Object.keys(run.attributes)).not.toContain('bench.client');
  });

  test('that failed is an error with its code, and says why', async () => {
    const changes = { outcome: 'tasks_failed', failure: '1 of 2 tasks failed.' } as const;
    const { run } = await received([okTask(0), failedTask(1)], changes);
    expect(run.status).toEqual({ code: 'ERROR', message: '1 of 2 tasks failed.' });
    expect(run.attributes['error.type']).toBe('tasks_failed');
    expect(run.attributes['bench.outcome']).toBe('tasks_failed');
    expect(run.events).toEqual([
      {
        name: 'exception',
        atNs: epochNs(45_000_001),
        attributes: { 'exception.type': 'tasks_failed', 'exception.message': '1 of 2 tasks failed.' },
      },
    ]);
  });

  test('whose client went away is no error', async () => {
    const { run, tasks } = await received([okTask(0), cancelledTask(1)], { outcome: 'cancelled' });
    expect(run.status.code).toBe('UNSET');
    expect(run.attributes['bench.outcome']).toBe('cancelled');
    expect(tasks[1]?.status.code).toBe('UNSET');
    expect(tasks[1]?.attributes['bench.task.state']).toBe('cancelled');
  });
});

describe('a bar', () => {
  test('is where the record says, to the nanosecond', async () => {
    const { run, tasks } = await received([okTask(0), okTask(1)]);
    const sign = receiver.named('sign');
    expect([run.startNs, run.endNs]).toEqual([epochNs(1_000_000), epochNs(45_000_001)]);
    expect([sign.startNs, sign.endNs]).toEqual([epochNs(1_000_000), epochNs(3_000_001)]);
    expect(tasks.map(({ startNs, endNs }) => [startNs, endNs])).toEqual([
      [epochNs(3_700_000), epochNs(43_300_007)],
      [epochNs(3_700_001), epochNs(43_300_008)],
    ]);
  });

  test('keeps its nanoseconds hours after the origin', async () => {
    const hoursNs = 5 * 3_600e9 + 987_654_321;
    const task = okTask(0, { startedAtNs: hoursNs, endedAtNs: hoursNs + 1 });
    const { tasks } = await received([task], { endedAtNs: hoursNs + 2 });
    expect([tasks[0]?.startNs, tasks[0]?.endNs]).toEqual([epochNs(hoursNs), epochNs(hoursNs + 1)]);
  });

  test('of a task that never started has no length, at the end of the run', async () => {
    const { run, tasks } = await received([cancelledTask(0, neverStarted)], { outcome: 'cancelled' });
    expect([tasks[0]?.startNs, tasks[0]?.endNs]).toEqual([run.endNs, run.endNs]);
    expect(tasks[0]?.attributes).toEqual({
      'bench.task.index': 0,
      'bench.task.state': 'cancelled',
      'bench.task.started': false,
    });
  });

  test('of a task whose end nobody saw ends with the run', async () => {
    const error = { code: 'run_timeout', message: 'too late', upstreamCode: null } as const;
    const { run, tasks } = await received([failedTask(0, { error, endedAtNs: null, returnedAtNs: null })], {
      outcome: 'run_timeout',
    });
    expect([tasks[0]?.startNs, tasks[0]?.endNs]).toEqual([epochNs(3_700_000), run.endNs]);
  });

  test('lies inside its run where the task outlived it until it was killed', async () => {
    const { run, tasks } = await received([cancelledTask(0, { endedAtNs: 46_000_000 })], {
      outcome: 'cancelled',
    });
    expect(tasks[0]?.endNs).toBe(run.endNs);
  });
});

describe('a task', () => {
  test('carries its place, its waits and its HTTP exchange', async () => {
    const labels = { 'rpc.system.name': 'aws-api', 'aws.s3.key': 'cats/1.jpg' };
    const { tasks } = await received([okTask(0, { attempts: [attempt], labels })]);
    expect(tasks[0]?.attributes).toEqual({
      'bench.task.index': 0,
      'bench.task.state': 'ok',
      'bench.task.queue_ms': 0.1,
      'bench.task.prepare_ms': 0.5,
      'bench.task.hand_back_ms': 0.1,
      'bench.task.reused': false,
      'bench.phase.connect_ms': 0.5,
      'bench.phase.ttfb_ms': 30,
      'bench.phase.download_ms': 5.5,
      'process.pid': 4711,
      'thread.id': 0,
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': 9000,
      'url.full': attempt.url,
      'rpc.system.name': 'aws-api',
      'aws.s3.key': 'cats/1.jpg',
    });
  });

  test('that was sent again carries its last exchange, and how often it was sent again', async () => {
    const attempts = [{ ...attempt, statusCode: 503 }, attempt];
    const { tasks } = await received([okTask(0, { attempts })]);
    expect(tasks[0]?.attributes['http.response.status_code']).toBe(200);
    expect(tasks[0]?.attributes['http.request.resend_count']).toBe(1);
  });

  test('that failed is an error with its code, the upstream one too, and the exception', async () => {
    const { tasks } = await received([failedTask(0)], { outcome: 'tasks_failed', failure: 'one failed' });
    expect(tasks[0]?.status).toEqual({ code: 'ERROR', message: 'the key is not there' });
    expect(tasks[0]?.attributes).toMatchObject({
      'bench.task.state': 'failed',
      'error.type': 'upstream_error',
      'bench.task.upstream_code': 'NoSuchKey',
    });
    expect(tasks[0]?.events).toEqual([
      {
        name: 'exception',
        atNs: tasks[0]?.endNs,
        attributes: { 'exception.type': 'upstream_error', 'exception.message': 'the key is not there' },
      },
    ]);
  });

  test('shows no signature, credential or token, whatever its record says', async () => {
    const secrets = 'X-Amz-Signature=s3cret1&X-Amz-Credential=s3cret2&X-Amz-Security-Token=s3cret3';
    const leaky = { ...attempt, url: `https://h/b/k?x=1&${secrets}&Signature=s3cret4&sig=s3cret5` };
    const message = `GET https://h/b/k?${secrets} failed; Authorization: AWS4 Credential=s3cret6, Signature=s3cret7`;
    const error = { code: 'upstream_error', message, upstreamCode: null } as const;
    await received([failedTask(0, { attempts: [leaky], error })], {
      outcome: 'tasks_failed',
      failure: message,
    });
    const everything = JSON.stringify(receiver.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    expect(everything).not.toContain('s3cret');
    expect(receiver.named('task s3 0').attributes['url.full']).toBe(
      'https://h/b/k?x=1&X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED' +
        '&X-Amz-Security-Token=REDACTED&Signature=REDACTED&sig=REDACTED',
    );
  });
});
