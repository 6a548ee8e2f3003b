import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import { makeObjects } from '../../src/emulator/objects.ts';
import type { RunRecord, TaskRecord } from '../../src/record/record.ts';
import { account, accesses, EmulatedBenches, errorsOf, signedStrategies } from '../support/emulated.ts';
import { targetAt, type RunnerBench } from '../support/run-on-runner.ts';

const benches = new EmulatedBenches();
afterAll(() => benches.close());

describe('s3 against the emulator', () => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benches.start();
  });

  it.each(signedStrategies)(
    '%s reads and checks every object, and sees its HTTP exchange',
    async (strategy) => {
      const record = await bench.run('s3', { strategy, tasks: '4' });
      expect(record.outcome).toBe('ok');
      expect(bodies(record)).toEqual(
        [0, 1, 2, 3].map((index) => ({ bytes: 300_000, md5: md5Of(`photos/${index}.jpg`) })),
      );
      for (const { attempts } of record.tasks) {
        expect(attempts).toHaveLength(1);
        expect(attempts?.[0]).toMatchObject({ method: 'GET', statusCode: 200, serverMs: expect.any(Number) });
        expect(attempts?.[0]?.phases).toMatchObject({
          ttfb: expect.any(Object),
          download: expect.any(Object),
        });
      }
      expect(record.signing === null).toBe(strategy.startsWith('sdk'));
    },
  );

  it('leaves no signature or credential in a record', async () => {
    for (const strategy of accesses) {
      const text = JSON.stringify(await bench.run('s3', { strategy, tasks: '2' }));
      expect(text).not.toContain(emulatorCredentials.accessKeyId);
      expect(text).not.toMatch(/X-Amz-Signature=(?!REDACTED)/);
      expect(text).not.toMatch(/X-Amz-Credential=(?!REDACTED)/);
    }
  });

  it('uses keys again when there are more tasks than objects, and says so', async () => {
    const record = await bench.run('s3', { strategy: 'presigned-async', tasks: '12' });
    expect(record.outcome).toBe('ok');
    expect(record.warnings.map(({ code }) => code)).toContain('keys_reused');
    expect(record.tasks[10]?.labels).toEqual(record.tasks[0]?.labels);
  });

  it('HTTP phases do not overlap and lie inside their task', async () => {
    for (const strategy of ['sdk-async', 'presigned-async', 'presigned-threads']) {
      const { tasks } = await bench.run('s3', { strategy, tasks: '4' });
      for (const task of tasks) expectOrderedPhases(task);
    }
  });

  it('a task of an isolate run that asked its host says so, and where it went on', async () => {
    const { isolate } = await bench.run('s3', { strategy: 'presigned-isolate', tasks: '2' });
    expect(isolate).toEqual({ bridged: true, resumesOn: 'isolated-vm thread', startObservedBy: 'host' });
  });

  it('isolates that wait for their host do not hold its main thread', async () => {
    const [first, second] = await Promise.all([
      bench.run('s3', { strategy: 'presigned-isolate', tasks: '4' }),
      bench.run('s3', { strategy: 'presigned-isolate-threads', tasks: '4' }),
    ]);
    expect([first.outcome, second.outcome]).toEqual(['ok', 'ok']);
    expect(first.runner.pid).toBe(second.runner.pid);
  });
});

describe('what can go wrong upstream', () => {
  it.each(accesses)(
    '%s: a missing key fails its task with the upstream code, the others stand',
    async (strategy) => {
      const keys = ['photos/0.jpg', 'photos/missing.jpg', 'photos/2.jpg'];
      const bench = benches.at(await benches.target('', { keys }));
      const record = await bench.run('s3', { strategy, tasks: '3' });
      expect(record.outcome).toBe('tasks_failed');
      expect(errorsOf(record)).toEqual([null, ['upstream_error', 'NoSuchKey'], null]);
    },
  );

  it.each(accesses)('%s: a missing bucket fails every task', async (strategy) => {
    const bench = benches.at(await benches.target('', { bucket: 'missing', keys: ['a', 'b'] }));
    const record = await bench.run('s3', { strategy, tasks: '2' });
    expect(record.outcome).toBe('tasks_failed');
    expect(errorsOf(record)).toEqual([
      ['upstream_error', 'NoSuchBucket'],
      ['upstream_error', 'NoSuchBucket'],
    ]);
  });

  it('a missing bucket that must be listed is upstream_unavailable, and no task ran', async () => {
    const bench = benches.at(await benches.target('', { bucket: 'missing' }));
    const record = await bench.run('s3', { strategy: 'presigned-async', tasks: '2' });
    expect(record.outcome).toBe('upstream_unavailable');
    expect(errorsOf(record)).toEqual([
      ['upstream_unavailable', 'NoSuchBucket'],
      ['upstream_unavailable', 'NoSuchBucket'],
    ]);
  });

  it.each(accesses)('%s: wrong credentials fail every task', async (strategy) => {
    const wrong = { ...account, AWS_SECRET_ACCESS_KEY: 'wrong' };
    const bench = benches.at(await benches.target('', { keys: ['photos/0.jpg'] }), wrong);
    const record = await bench.run('s3', { strategy, tasks: '1' });
    expect(errorsOf(record)).toEqual([['upstream_error', 'SignatureDoesNotMatch']]);
  });

  it.each(accesses)('%s: a refused connection fails every task', async (strategy) => {
    const bench = benches.at(targetAt('http://127.0.0.1:9', { keys: ['photos/0.jpg'] }));
    const record = await bench.run('s3', { strategy, tasks: '2' });
    expect(record.outcome).toBe('tasks_failed');
    expect(errorsOf(record)).toEqual([
      ['connection_failed', 'ECONNREFUSED'],
      ['connection_failed', 'ECONNREFUSED'],
    ]);
  });

  it.each(accesses)('%s: a body that is cut off, one that is wrong, a reset and a 500', async (strategy) => {
    const faults = 'truncate@photos/0.jpg,corrupt@photos/1.jpg,reset@photos/2.jpg,error@photos/3.jpg';
    const bench = await benches.start(faults);
    const record = await bench.run('s3', { strategy, tasks: '5' });
    expect(record.outcome).toBe('tasks_failed');
    expect(errorsOf(record)).toEqual([
      ['body_truncated', null],
      ['wrong_result', null],
      ['connection_failed', 'ECONNRESET'],
      ['upstream_error', 'InternalError'],
      null,
    ]);
  });

  it.each(accesses)(
    '%s: an answer that never comes ends at the time limit, the others stand',
    async (strategy) => {
      const bench = await benches.start('stall@photos/1.jpg');
      const record = await bench.run('s3', {
        strategy,
        tasks: '3',
        timeoutMs: '5000',
        concurrency: strategy.endsWith('isolate') ? '1' : '3',
      });
      expect(record.outcome).toBe('run_timeout');
      expect(errorsOf(record).slice(0, 2)).toEqual([null, ['run_timeout', null]]);
    },
  );

  it('no object under the prefix is no run', async () => {
    const bench = benches.at(await benches.target('', { prefix: 'nothing/' }));
    const record = await bench.run('s3', { strategy: 'presigned-async', tasks: '1' });
    expect(record.failure).toContain('S3_PREFIX');
  });
});

function md5Of(key: string): string {
  return createHash('md5')
    .update(makeObjects().get(key)?.body ?? '')
    .digest('hex');
}

function bodies({ tasks }: RunRecord): unknown[] {
  return tasks.map((task) =>
    task.state === 'ok' ? { bytes: task.output.body?.bytes, md5: task.output.body?.md5 } : task,
  );
}

function expectOrderedPhases({ startedAtNs, endedAtNs, attempts }: TaskRecord): void {
  const { dns, connect, tls, ttfb, download } = attempts?.[0]?.phases ?? {};
  const instants = [dns, connect, tls, ttfb, download].flatMap((phase) =>
    phase === null || phase === undefined ? [] : [phase.fromNs, phase.toNs],
  );
  const inTask = [Number(startedAtNs), ...instants, Number(endedAtNs)];
  expect(inTask).toEqual(inTask.toSorted((a, b) => a - b));
}
