import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Jaeger, JaegerSpan } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { endUs, pictureOf, type Picture } from './picture.ts';

/** Runs that fail, as a real Jaeger shows them. */
let jaeger: Jaeger;
let service: RunningService;

beforeAll(async () => {
  const traced = await startServiceWithJaeger({
    EMULATOR_LATENCY_MS: '5',
    EMULATOR_FAULTS: 'error@photos/1.jpg,truncate@photos/2.jpg,reset@photos/3.jpg,corrupt@photos/4.jpg',
  });
  ({ service, jaeger } = traced);
  return traced.stop;
});

/** What each task of a run against these faults comes to. */
const faulty: readonly (string | null)[] = [
  null,
  'upstream_error',
  'body_truncated',
  'connection_failed',
  'wrong_result',
  null,
];

describe.each(['sdk-async', 'sdk-threads', 'presigned-async', 'presigned-isolate-subprocess'])(
  'faults of the upstream in %s',
  (strategy) => {
    let picture: Picture;
    let raw: string;

    beforeAll(async () => {
      const body = await service.failedRun(`/bench/s3?strategy=${strategy}&tasks=${faulty.length}`, 502);
      picture = await pictureOf(jaeger, body);
      raw = JSON.stringify(picture);
    });

    it('mark the tasks concerned with their code and an exception, and leave the others alone', () => {
      expect(picture.tasks.map(({ tags }) => tags['error.type'] ?? null)).toEqual(faulty);
      for (const [index, span] of picture.tasks.entries()) expectVerdict(span, faulty[index] ?? null);
    });

    it('fail the run and the request with it', () => {
      expectVerdict(picture.run, 'tasks_failed');
      expect(picture.run.tags['bench.outcome']).toBe('tasks_failed');
      expect(picture.server.tags).toMatchObject({ 'http.response.status_code': 502, error: true });
    });

    it("carry the upstream's own code and status", () => {
      expect(picture.tasks[1]?.tags).toMatchObject({
        'bench.task.upstream_code': 'InternalError',
        'http.response.status_code': 500,
      });
      expect(picture.tasks[3]?.tags['bench.task.upstream_code']).toBe('ECONNRESET');
      expect(picture.tasks[3]?.tags).not.toHaveProperty('http.response.status_code');
    });

    it('spill no signature into what was recorded of them', () => {
      expect(raw).not.toMatch(/X-Amz-(Signature|Credential)=(?!REDACTED)/iu);
      expect(raw).not.toMatch(/[0-9a-f]{64}/iu);
    });
  },
);

describe('a run that is cut off', () => {
  it.each(['async', 'threads', 'subprocess', 'isolate-threads', 'isolate-subprocess'])(
    '%s: shows every task up to the timeout, in red',
    async (strategy) => {
      const picture = await failed(`/bench/sleep?strategy=${strategy}&ms=20000&tasks=4&timeoutMs=3000`, 504);
      expectVerdict(picture.run, 'run_timeout');
      for (const task of picture.tasks) {
        expectVerdict(task, 'run_timeout');
        expect(task.durationUs).toBeGreaterThan(0);
        expect(Math.abs(endUs(task) - endUs(picture.run))).toBeLessThanOrEqual(1);
      }
    },
  );

  it.each(['single', 'isolate'])(
    '%s: shows the tasks that never started as dots at the end of the run',
    async (strategy) => {
      const picture = await failed(`/bench/fib?strategy=${strategy}&n=50&tasks=4&timeoutMs=1500`, 504);
      const [first, ...others] = picture.tasks;
      expect(first?.durationUs).toBeGreaterThan(0);
      expect(first?.tags).not.toHaveProperty('bench.task.started');
      expect(others).toHaveLength(3);
      for (const task of others) {
        expectVerdict(task, 'run_timeout');
        expect(task.tags['bench.task.started']).toBe(false);
        expect(task.durationUs).toBe(0);
        expect(Math.abs(task.startUs - endUs(picture.run))).toBeLessThanOrEqual(1);
      }
    },
  );

  it('by the death of its runner: runner_crashed everywhere', async () => {
    const { runner } = await service.run('/bench/sleep?strategy=async&ms=1&tasks=1');
    const running = failed('/bench/sleep?strategy=async&ms=20000&tasks=2', 502);
    await wait(1_000);
    process.kill(Number(runner.pid), 'SIGKILL');
    const picture = await running;
    expectVerdict(picture.run, 'runner_crashed');
    for (const task of picture.tasks) {
      expectVerdict(task, 'runner_crashed');
      expect(task.tags['process.pid']).toBe(runner.pid);
    }
  });
});

async function failed(path: string, status: number): Promise<Picture> {
  return pictureOf(jaeger, await service.failedRun(path, status));
}

/** In red with its code and the recorded exception; with `null` none of it. */
function expectVerdict({ tags, logs }: JaegerSpan, code: string | null): void {
  const bad = code !== null;
  expect(tags['error'] ?? false).toBe(bad);
  expect(tags['otel.status_code'] ?? null).toBe(bad ? 'ERROR' : null);
  expect(tags['error.type'] ?? null).toBe(code);
  const exceptions = logs.map((log) => [log['event'], log['exception.type'], log['exception.message']]);
  expect(exceptions).toEqual(bad ? [['exception', code, tags['otel.status_description']]] : []);
  expect(bad).toBe(Boolean(tags['otel.status_description']));
}
