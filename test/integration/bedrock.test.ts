import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { account, EmulatedBenches, errorsOf, signedStrategies } from '../support/emulated.ts';
import type { RunnerBench } from '../support/run-on-runner.ts';

const forms = ['converse', 'invoke'] as const;
/** One of each access, and one that is bridged. */
const accesses = ['sdk-async', 'presigned-async', 'presigned-isolate-threads'];

const benches = new EmulatedBenches();
afterAll(() => benches.close());

describe('bedrock against the emulator', () => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benches.start();
  });

  describe.each(signedStrategies)('%s', (strategy) => {
    it.each(forms)('%s gives the same answer whole and streamed, which times its tokens', async (op) => {
      const whole = await bench.run('bedrock', { strategy, op, tasks: '2' });
      const streamed = await bench.run('bedrock', { strategy, op, tasks: '2', stream: 'true' });
      expect([whole.outcome, streamed.outcome]).toEqual(['ok', 'ok']);
      const [wholes, streams] = [answersOf(whole), answersOf(streamed)];
      for (const [index, { text, llm }] of wholes.entries()) {
        expect(text?.length).toBeGreaterThan(20);
        expect(llm).toMatchObject({
          timeToFirstTokenMs: null,
          timePerOutputTokenMs: null,
          stopReason: 'end_turn',
        });
        const inStream = streams[index];
        expect(inStream?.text).toBe(text);
        expect(inStream?.llm).toEqual({
          ...llm,
          timeToFirstTokenMs: expect.any(Number),
          timePerOutputTokenMs: expect.any(Number),
        });
      }
      expect(wholes[0]?.text).not.toBe(wholes[1]?.text);
    });
  });

  it.each(signedStrategies)('%s leaves no credential or signature in a record', async (strategy) => {
    const record = JSON.stringify(await bench.run('bedrock', { strategy, tasks: '1' }));
    expect(record).not.toContain(emulatorCredentials.accessKeyId);
    expect(record).not.toMatch(/Signature=[0-9a-f]/);
  });

  it.each(['json', 'sql'])('asks for %s where the answer must be that, and gets it', async (validate) => {
    const given = { strategy: 'presigned-async', join: 'first-valid', validate };
    const record = await bench.run('bedrock', given);
    expect(record.outcome).toBe('ok');
    expect(answersOf(record)).toHaveLength(1);
  });
});

describe('what can go wrong with a model', () => {
  it.each(
    accesses.flatMap((strategy) =>
      [
        ['throttle', 'upstream_error', 'ThrottlingException'],
        ['error', 'upstream_error', 'InternalServerException'],
        ['unavailable', 'upstream_error', 'ServiceUnavailableException'],
        ['reset', 'connection_failed', 'ECONNRESET'],
        ['truncate', 'body_truncated', null],
        ['malformed', 'wrong_result', null],
      ].map(([fault, code, upstreamCode]) => [strategy, fault, code, upstreamCode] as const),
    ),
  )('%s, %s: each task fails with %s %s', async (strategy, fault, code, upstreamCode) => {
    const bench = await benches.start(`${fault}@*`);
    const record = await bench.run('bedrock', { strategy, tasks: '1' });
    expect([record.outcome, ...errorsOf(record)]).toEqual(['tasks_failed', [code, upstreamCode]]);
  });

  it.each(
    accesses.flatMap((strategy) =>
      [
        ['truncate', 'body_truncated'],
        ['reset', 'body_truncated'],
        ['malformed', 'wrong_result'],
      ].map(([fault, code]) => [strategy, fault, code] as const),
    ),
  )('%s, %s in the middle of a stream: the task fails with %s', async (strategy, fault, code) => {
    const bench = await benches.start(`${fault}@*`);
    const record = await bench.run('bedrock', { strategy, tasks: '1', stream: 'true' });
    expect(errorsOf(record).map((error) => error?.[0])).toEqual([code]);
  });

  it.each(accesses)('%s, stall: the run ends with its time', async (strategy) => {
    const bench = await benches.start('stall@*');
    const record = await bench.run('bedrock', { strategy, tasks: '1', stream: 'true', timeoutMs: '500' });
    expect([record.outcome, ...errorsOf(record)]).toEqual(['run_timeout', ['run_timeout', null]]);
  });

  it.each(accesses)('%s: is tried again as often as attempts says', async (strategy) => {
    const bench = await benches.start('throttle@*#2');
    const record = await bench.run('bedrock', { strategy, tasks: '1', attempts: '3' });
    expect([record.outcome, record.tasks[0]?.attempts?.map(({ statusCode }) => statusCode)]).toEqual([
      'ok',
      [429, 429, 200],
    ]);
  });

  it('answers that pass no check make no_valid_answer, with every reason', async () => {
    const bench = await benches.start('nonsense@*');
    const given = { strategy: 'presigned-async', join: 'first-valid', validate: 'json' };
    const record = await bench.run('bedrock', given);
    expect(record.outcome).toBe('no_valid_answer');
    expect(errorsOf(record)).toEqual(record.tasks.map(() => ['invalid_answer', null]));
    for (const index of [0, 1, 2]) expect(record.failure).toContain(`task ${index}: the answer is not valid`);
  });

  it.each(forms)('one question is told from the others by its number: %s', async (op) => {
    const bench = await benches.start('throttle@Question 1.*');
    const record = await bench.run('bedrock', { strategy: 'sdk-async', op, tasks: '11' });
    expect(errorsOf(record).flatMap((error, index) => (error === null ? [] : [index]))).toEqual([1]);
  });

  it('the first valid answer is taken where others are not valid', async () => {
    const bench = await benches.start('nonsense@Question 0.*');
    const given = { strategy: 'presigned-single', join: 'first-valid', validate: 'sql' };
    const { outcome, tasks } = await bench.run('bedrock', given);
    expect([outcome, tasks.map(({ state }) => state)]).toEqual(['ok', ['failed', 'ok', 'cancelled']]);
  });

  it.each(['sdk-async', 'presigned-async'])(
    '%s: a wrong secret is refused in the service’s words',
    async (strategy) => {
      const bench = await benches.start('', { ...account, AWS_SECRET_ACCESS_KEY: 'wrong' });
      const record = await bench.run('bedrock', { strategy, tasks: '1' });
      expect(errorsOf(record)[0]?.[0]).toBe('upstream_error');
      expect(errorsOf(record)[0]?.[1]).toMatch(/Signature/);
    },
  );
});

function answersOf({ tasks }: RunRecord) {
  return tasks.flatMap((task) => (task.state === 'ok' ? [task.output] : []));
}
