import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { EmulatedBenches, errorsOf } from '../support/emulated.ts';
import { targetAt, type RunnerBench } from '../support/run-on-runner.ts';

/** The plain HTTP clients are seen by the same eyes, and fail in the same words. */
const clients = ['got', 'undici'];
const names = strategies.map(({ declaration: { name } }) => `presigned-${name}`);

const benches = new EmulatedBenches();
afterAll(() => benches.close());

describe.each(clients)('%s', (client) => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benches.start();
  });

  it.each(names)(
    '%s: reads every object, and its exchange is seen in parts that do not overlap',
    async (strategy) => {
      const record = await bench.run('s3', { strategy, client, tasks: '3' });
      expect([record.outcome, record.plan.client]).toEqual(['ok', client]);
      for (const { attempts, startedAtNs, endedAtNs } of record.tasks) {
        expect(attempts).toHaveLength(1);
        const [attempt] = attempts ?? [];
        expect(attempt).toMatchObject({
          method: 'GET',
          statusCode: 200,
          complete: true,
          serverMs: expect.any(Number),
        });
        expect(attempt?.url).toContain('X-Amz-Signature=REDACTED');
        const { connect, ttfb, download } = attempt?.phases ?? {};
        // A socket is connected once; who comes after finds it.
        expect(connect === null).toBe(attempt?.reusedSocket);
        const instants = [connect, ttfb, download].flatMap((part) => (part ? [part.fromNs, part.toNs] : []));
        expect(instants.length).toBeGreaterThanOrEqual(4);
        const around = [Number(startedAtNs), ...instants, Number(endedAtNs)];
        expect(around).toEqual(around.toSorted((a, b) => a - b));
      }
    },
  );

  it('one after another, uses one socket for all', async () => {
    const { tasks } = await bench.run('s3', { strategy: 'presigned-single', client, tasks: '3' });
    expect(tasks.map(({ attempts }) => attempts?.[0]?.reusedSocket)).toEqual([false, true, true]);
  });

  it('carries the traceparent of its task, which is not signed', async () => {
    const traceparents = [0, 1].map((index) => `00-${'a'.repeat(32)}-${String(index).repeat(15)}1-01`);
    const signal = new AbortController().signal;
    const given = { strategy: 'presigned-async', client, tasks: '2' };
    expect((await bench.run('s3', given, signal, traceparents)).outcome).toBe('ok');
  });

  it.each([
    ['reset', 'connection_failed', 'ECONNRESET', false],
    ['truncate', 'body_truncated', null, false],
    ['error', 'upstream_error', 'InternalError', true],
    ['throttle', 'upstream_error', 'SlowDown', true],
    ['corrupt', 'wrong_result', null, true],
  ])(
    '%s: the task fails with %s %s; its answer came to its end: %s',
    async (fault, code, upstreamCode, complete) => {
      const faulty = await benches.start(`${fault}@photos/1.jpg`);
      const record = await faulty.run('s3', { strategy: 'presigned-async', client, tasks: '3' });
      expect(errorsOf(record)).toEqual([null, [code, upstreamCode], null]);
      expect(record.tasks.map(({ attempts }) => attempts?.map((attempt) => attempt.complete))).toEqual([
        [true],
        [complete],
        [true],
      ]);
    },
  );

  it('a connection that is refused is told with the system’s code', async () => {
    const nobody = benches.at(targetAt('http://127.0.0.1:1', { keys: ['a'] }));
    const record = await nobody.run('s3', { strategy: 'presigned-async', client, tasks: '1' });
    expect(errorsOf(record)).toEqual([['connection_failed', 'ECONNREFUSED']]);
  });

  it('is tried again as often as attempts says, and tells each', async () => {
    const faulty = await benches.start('reset@photos/0.jpg#1,error@photos/1.jpg#2');
    const given = { strategy: 'presigned-async', client, tasks: '3', attempts: '3' };
    const { outcome, tasks } = await faulty.run('s3', given);
    const statuses = tasks.map(({ attempts }) => attempts?.map(({ statusCode }) => statusCode));
    expect([outcome, statuses]).toEqual(['ok', [[null, 200], [500, 500, 200], [200]]]);
  });

  it('a task that is stopped closes its socket', async () => {
    const faulty = await benches.start('stall@photos/*');
    const given = { strategy: 'presigned-async', client, tasks: '2', timeoutMs: '1500' };
    const { outcome, tasks } = await faulty.run('s3', given);
    expect([outcome, tasks.map(({ attempts }) => attempts?.length)]).toEqual(['run_timeout', [1, 1]]);
    expect((await faulty.run('fib', { strategy: 'threads', n: '5', tasks: '1' })).outcome).toBe('ok');
  });
});
