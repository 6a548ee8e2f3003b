import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { announce, tellRun } from '../../src/announce.ts';
import { readConfig } from '../../src/config.ts';
import { errorTable } from '../../src/errors.ts';
import type { Outcome } from '../../src/record/record.ts';
import { planOf, recordOf } from '../support/fixtures.ts';

function lineOf(outcome: Outcome): unknown {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  const plan = planOf({ workload: 's3', strategy: 'sdk-async', tasks: 3 });
  tellRun(log, recordOf({ plan, outcome, failure: 'why', endedAtNs: 6_000_400 }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '');
}

describe('what to try', () => {
  it.each([
    ['http://127.0.0.1:8080', 'localhost:8080'],
    ['http://[::1]:8080', 'localhost:8080'],
    ['http://0.0.0.0:8080', 'localhost:8080'],
    ['http://[::]:8080', 'localhost:8080'],
    ['http://192.168.0.7:8080', 'http://192.168.0.7:8080'],
    ['http://[::1:2]:8080', 'http://[::1:2]:8080'],
  ])('is asked of an address that can be asked: listening on %s, of %s', (url, base) => {
    const said: unknown[] = [];
    const log = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line)) });
    const config = readConfig({});
    announce(log, config, url, config.target, null);
    const lines = said.map((line) => z.looseObject({ msg: z.string() }).parse(line).msg);
    expect(lines).toContain(`Listening on ${url}`);
    const tries = lines.filter((line) => line.startsWith('Try: '));
    expect(tries.map((line) => line.split('/bench/', 1)[0])).toEqual(tries.map(() => `Try: curl '${base}`));
    expect(tries).toHaveLength(3);
  });
});

const levels = { info: 30, warn: 40, error: 50 };

describe('the one line of a run', () => {
  it('says which it was, how it ended and where its trace is', () => {
    expect(lineOf('ok')).toEqual({
      level: levels.info,
      runId: 'run-1',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: 'b7ad6b7169203331',
      trace_flags: '01',
      workload: 's3',
      strategy: 'sdk-async',
      outcome: 'ok',
      status: 200,
      durationMs: 6,
      msg: 's3 sdk-async ×3: ok in 6 ms',
    });
  });

  it.each([
    'tasks_failed',
    'no_valid_answer',
    'upstream_unavailable',
    'run_timeout',
    'shutting_down',
  ] as const)('is a warning where the outcome is %s, with the status of its answer', (outcome) => {
    expect(lineOf(outcome)).toMatchObject({
      level: levels.warn,
      outcome,
      status: errorTable[outcome].status,
    });
  });

  it('is an error where a process of the service died', () => {
    expect(lineOf('runner_crashed')).toMatchObject({ level: levels.error, status: 502 });
  });

  it('is none where its client went away, who got no status', () => {
    expect(lineOf('cancelled')).toMatchObject({ level: levels.info, outcome: 'cancelled', status: null });
  });
});
