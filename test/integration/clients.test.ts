import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import { parseFaults } from '../../src/emulator/faults.ts';
import { startEmulator } from '../../src/emulator/process.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { strategies } from '../../src/strategies/registry.ts';
import { distFolder, RunnerBench, targetAt } from '../support/run-on-runner.ts';

/** The plain HTTP clients are seen by the same eyes, and fail in the same words. */
const account: Record<string, string> = {
  AWS_ACCESS_KEY_ID: emulatorCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: emulatorCredentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
};
const clients = ['got', 'undici'];
const names = strategies.map(({ declaration: { name } }) => `presigned-${name}`);

const closing: (() => Promise<void>)[] = [];
async function benchWith(faults = ''): Promise<RunnerBench> {
  const settings = { port: 0, latencyMs: 5, seed: 1, faults: parseFaults(faults), tracing: false };
  const emulator = await startEmulator({ distFolder, settings, environment: {}, onRestart: () => undefined });
  const bench = new RunnerBench(targetAt(emulator.endpoint), account);
  closing.push(
    () => emulator.stop(),
    () => bench.stop(),
  );
  return bench;
}
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

describe.each(clients)('%s', (client) => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benchWith();
  });

  it.each(names)(
    '%s: reads every object, and its exchange is seen in parts that do not overlap',
    async (strategy) => {
      const record = await bench.run('s3', { strategy, client, tasks: '3' });
      expect([record.outcome, record.plan.client]).toEqual(['ok', client]);
      for (const { attempts, startedAtNs, endedAtNs } of record.tasks) {
        expect(attempts).toHaveLength(1);
        const [attempt] = attempts ?? [];
        expect(attempt).toMatchObject({ method: 'GET', statusCode: 200, serverMs: expect.any(Number) });
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
    ['reset', 'connection_failed', 'ECONNRESET'],
    ['truncate', 'body_truncated', null],
    ['error', 'upstream_error', 'InternalError'],
    ['throttle', 'upstream_error', 'SlowDown'],
    ['corrupt', 'wrong_result', null],
  ])('%s: the task fails with %s %s', async (fault, code, upstreamCode) => {
    const faulty = await benchWith(`${fault}@photos/1.jpg`);
    const record = await faulty.run('s3', { strategy: 'presigned-async', client, tasks: '3' });
    expect(failuresOf(record)).toEqual([null, [code, upstreamCode], null]);
  });

  it('a connection that is refused is told with the system’s code', async () => {
    const nobody = new RunnerBench(targetAt('http://127.0.0.1:1', { keys: ['a'] }), account);
    closing.push(() => nobody.stop());
    const record = await nobody.run('s3', { strategy: 'presigned-async', client, tasks: '1' });
    expect(failuresOf(record)).toEqual([['connection_failed', 'ECONNREFUSED']]);
  });

  it('is tried again as often as attempts says, and tells each', async () => {
    const faulty = await benchWith('reset@photos/0.jpg#1,error@photos/1.jpg#2');
    const given = { strategy: 'presigned-async', client, tasks: '3', attempts: '3' };
    const { outcome, tasks } = await faulty.run('s3', given);
    const statuses = tasks.map(({ attempts }) => attempts?.map(({ statusCode }) => statusCode));
    expect([outcome, statuses]).toEqual(['ok', [[null, 200], [500, 500, 200], [200]]]);
  });

  it('a task that is stopped closes its socket', async () => {
    const faulty = await benchWith('stall@photos/*');
    const given = { strategy: 'presigned-async', client, tasks: '2', timeoutMs: '1500' };
    const { outcome, tasks } = await faulty.run('s3', given);
    expect([outcome, tasks.map(({ attempts }) => attempts?.length)]).toEqual(['run_timeout', [1, 1]]);
    expect((await faulty.run('fib', { strategy: 'threads', n: '5', tasks: '1' })).outcome).toBe('ok');
  });
});

function failuresOf({ tasks }: RunRecord) {
  return tasks.map((task) => (task.state === 'failed' ? [task.error.code, task.error.upstreamCode] : null));
}
