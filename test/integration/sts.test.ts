import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorAccountId, emulatorCredentials } from '../../src/emulator/credentials.ts';
import { account, accesses, EmulatedBenches, errorsOf, signedStrategies } from '../support/emulated.ts';
import { targetAt, type RunnerBench } from '../support/run-on-runner.ts';

const benches = new EmulatedBenches();
afterAll(() => benches.close());

describe('sts against the emulator', () => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benches.start();
  });

  it.each(signedStrategies)('%s learns who it is, and sees its HTTP exchange', async (strategy) => {
    const record = await bench.run('sts', { strategy, tasks: '3' });
    expect(record.outcome).toBe('ok');
    expect(record.signing === null).toBe(strategy.startsWith('sdk'));
    for (const task of record.tasks) {
      expect(task).toMatchObject({
        state: 'ok',
        output: { text: `arn:aws:iam::${emulatorAccountId}:user/fanout-bench`, body: null, llm: null },
        attempts: [{ method: 'POST', statusCode: 200, serverMs: expect.any(Number) }],
        labels: { 'rpc.system.name': 'aws-api', 'rpc.method': 'STS/GetCallerIdentity' },
      });
    }
  });

  it('leaves no credential, session or signature in a record', async () => {
    const session = { ...account, AWS_SESSION_TOKEN: 'a+session/token==' };
    const other = await benches.start('', session);
    for (const strategy of accesses) {
      const record = await other.run('sts', { strategy, tasks: '2' });
      expect(record.outcome).toBe('ok');
      const text = JSON.stringify(record);
      expect(text).not.toContain(emulatorCredentials.accessKeyId);
      expect(text).not.toContain(emulatorCredentials.secretAccessKey);
      expect(text).not.toContain('session/token');
      expect(text).not.toMatch(/Signature=|authorization/i);
    }
  });

  it('can be checked for an answer', async () => {
    const record = await bench.run('sts', { join: 'first-valid', validate: 'nonempty', tasks: '2' });
    expect(record.outcome).toBe('ok');
  });
});

describe('what can go wrong with STS', () => {
  it.each([
    ['error', ['upstream_error', 'InternalFailure']],
    ['throttle', ['upstream_error', 'Throttling']],
    ['unavailable', ['upstream_error', 'ServiceUnavailable']],
    ['reset', ['connection_failed', 'ECONNRESET']],
    ['truncate', ['body_truncated', null]],
    ['malformed', ['wrong_result', null]],
  ])('%s fails tasks in the same way with every access', async (fault, error) => {
    const bench = await benches.start(`${fault}@*`);
    for (const strategy of accesses) {
      const record = await bench.run('sts', { strategy, tasks: '2' });
      expect([strategy, record.outcome, errorsOf(record)]).toEqual([
        strategy,
        'tasks_failed',
        [error, error],
      ]);
    }
  });

  it.each(accesses)('%s: another attempt helps where the first was throttled', async (strategy) => {
    const bench = await benches.start('throttle@*#1');
    const record = await bench.run('sts', { strategy, tasks: '1', attempts: '3' });
    expect(record.outcome).toBe('ok');
    expect(record.tasks[0]?.attempts?.map(({ statusCode }) => statusCode)).toEqual([400, 200]);
  });

  it.each(accesses)('%s: wrong credentials fail every task', async (strategy) => {
    const bench = await benches.start('', { ...account, AWS_SECRET_ACCESS_KEY: 'wrong' });
    expect(errorsOf(await bench.run('sts', { strategy, tasks: '1' }))).toEqual([
      ['upstream_error', 'SignatureDoesNotMatch'],
    ]);
  });

  it.each(accesses)('%s: a refused connection fails every task', async (strategy) => {
    const bench = benches.at(targetAt('http://127.0.0.1:9'));
    expect(errorsOf(await bench.run('sts', { strategy, tasks: '1' }))).toEqual([
      ['connection_failed', 'ECONNREFUSED'],
    ]);
  });
});
