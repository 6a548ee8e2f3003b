import { afterEach, describe, expect, it } from 'vitest';
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { comparisonSchema } from '../../src/http/comparison/schema.ts';
import { failedRunSchema, problemSchema } from '../../src/http/schemas.ts';
import { BenchError } from '../../src/errors.ts';
import { recordOf } from '../support/fixtures.ts';
import { rawRequest } from '../support/service.ts';
import { serveFake, type FakeService, type RunFake } from './http-app.ts';

/** `GET /compare/{workload}` over a bench whose runs take no time. */
const path = '/compare/fib?strategies=single,async&rounds=3&warmup=1&seed=4';

let service: FakeService | null = null;
afterEach(async () => {
  await service?.close();
  service = null;
});
async function serve(run?: RunFake): Promise<FakeService> {
  service = await serveFake({}, run);
  return service;
}

const failing: RunFake = async (plan) =>
  recordOf({ plan, outcome: 'tasks_failed', failure: '1 of 3 tasks failed.' });

describe('a comparison', () => {
  it('answers with every figure, as its schema says', async () => {
    const { url, plans } = await serve();
    const answer = await fetch(url + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('server-timing')).toMatch(/^total;dur=/u);
    const body = comparisonSchema.parse(await answer.json());
    expect(body.comparison).toMatchObject({
      workload: 'fib',
      baseline: 'single',
      rounds: 3,
      warmup: 1,
      seed: 4,
      stoppedBy: 'rounds',
    });
    expect(body.order).toHaveLength(6);
    expect(plans).toHaveLength(2 * 4);
    const [single, async] = body.cells[0]?.results ?? [];
    expect([single?.verdict, async?.verdict]).toEqual(['baseline', 'no difference shown']);
    expect(single?.samplesMs).toEqual([6, 6, 6]);
    expect(single?.traces).toEqual(Array(3).fill('http://traces.example/0af7651916cd43dd8448eb211c80319c'));
    expect(body.warnings.map(({ code }) => code)).toEqual(['too_few_rounds']);
  });

  it.each([
    ['text', 'text/plain; charset=utf-8', /^Recommended: single$/mu],
    ['markdown', 'text/markdown; charset=utf-8', /^### Recommended: single$/mu],
    ['csv', 'text/csv; charset=utf-8; header=present', /^comparison,workload,/u],
  ])('format=%s', async (format, type, content) => {
    const { url } = await serve();
    const answer = await fetch(`${url}${path}&format=${format}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(await answer.text()).toMatch(content);
  });

  it('as text tells its progress in lines that begin with #', async () => {
    const { url } = await serve();
    const text = await (await fetch(`${url}${path}&format=text`)).text();
    expect(text.split('\n')[0]).toMatch(/^# calibration: single$/u);
  });

  it.each([
    ['progress=true', `${path}&progress=true`, {}],
    ['Accept', path, { accept: 'text/event-stream' }],
  ])('tells its progress as events, asked for by %s', async (_, eventPath, headers) => {
    const { url } = await serve();
    const answer = await fetch(url + eventPath, { headers });
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(await answer.text());
    expect(events.map(({ event }) => event)).toEqual([...Array(1 + 8).fill('progress'), 'result']);
    expect(events[0]?.data).toMatchObject({ phase: 'calibration', round: 0, rounds: 3, cell: 0, cells: 1 });
    expect(comparisonSchema.parse(events.at(-1)?.data).comparison.rounds).toBe(3);
  });

  it('tells no progress where that is refused, whatever the client would take', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}${path}&progress=false`, { headers: { accept: 'text/event-stream' } });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(comparisonSchema.parse(await answer.json()).comparison.rounds).toBe(3);
  });

  it('is not asked for with HEAD or POST', async () => {
    const { url, plans } = await serve();
    for (const method of ['HEAD', 'POST']) {
      const answer = await rawRequest(url, { method, path });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    }
    expect(plans).toEqual([]);
  });
});

describe('a comparison that is refused', () => {
  it.each([
    ['unknown workload', '/compare/fibb', 404, 'unknown_workload', 'workload'],
    ['unknown strategy', '/compare/fib?strategies=single,zonk', 400, 'invalid_parameter', 'strategies'],
    ['unknown format', '/compare/fib?format=xml', 400, 'invalid_parameter', 'format'],
    ['progress that is neither', '/compare/fib?progress=yes', 400, 'invalid_parameter', 'progress'],
    ['events of a text', '/compare/fib?progress=true&format=text', 400, 'invalid_parameter', 'format'],
    ['a parameter given twice', '/compare/fib?rounds=1&rounds=2', 400, 'invalid_parameter', 'rounds'],
    [
      'what no isolate can',
      '/compare/s3?strategies=sdk-isolate',
      400,
      'unsupported_combination',
      'strategies',
    ],
  ])('%s', async (_, refused, status, code, field) => {
    const { url, plans } = await serve();
    const answer = await fetch(url + refused);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    const problem = problemSchema.parse(await answer.json());
    expect([problem.code, problem.errors?.map((one) => one.field)]).toEqual([code, [field]]);
    expect(plans).toEqual([]);
  });

  it('names the way it is told, where that may have been meant', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/compare/fib?formt=csv&progres=true`);
    const problem = problemSchema.parse(await answer.json());
    expect(problem.errors?.map(({ reason }) => reason)).toEqual([
      'is not a parameter; did you mean "format"?',
      'is not a parameter; did you mean "progress"?',
    ]);
    expect(problem.errors?.[0]?.allowed).toEqual(expect.arrayContaining(['format', 'strategies', 'tasks']));
  });

  it('tells all that is wrong at once, of the way it is told as well', async () => {
    const { url } = await serve();
    const problem = problemSchema.parse(
      await (await fetch(`${url}/compare/fib?format=xml&rounds=x&tasks=0`)).json(),
    );
    expect(problem.errors?.map(({ field }) => field).toSorted()).toEqual(['format', 'rounds', 'tasks']);
  });
});

describe('a comparison of which every run fails', () => {
  it('is that run, and its problem', async () => {
    const { url } = await serve(failing);
    const answer = await fetch(url + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      502,
      'application/problem+json; charset=utf-8',
    ]);
    expect(failedRunSchema.parse(await answer.json())).toMatchObject({
      code: 'tasks_failed',
      outcome: 'tasks_failed',
    });
  });

  it('says so in the stream, where that has begun', async () => {
    const { url } = await serve(failing);
    const events = eventsOf(await (await fetch(`${url}${path}&progress=true`)).text());
    expect(events.map(({ event }) => event)).toEqual(['progress', 'progress', 'progress', 'problem']);
    expect(failedRunSchema.parse(events.at(-1)?.data).code).toBe('tasks_failed');
    const text = await (await fetch(`${url}${path}&format=text`)).text();
    expect(text).toMatch(/^# tasks_failed: A run of (?:single|async) failed: 1 of 3 tasks failed\.$/mu);
  });
});

describe('what goes wrong once the head was sent', () => {
  it('is the last event, or the last line, with the code of the refusal', async () => {
    const ending = new BenchError('shutting_down', 'The service ends.');
    const { url, plans } = await serve(async (plan) => {
      if (plans.length % 3 === 0) throw ending;
      return recordOf({ plan });
    });
    const events = eventsOf(await (await fetch(`${url}${path}&progress=true`)).text());
    expect(problemSchema.parse(events.at(-1)?.data)).toMatchObject({ code: 'shutting_down', status: 503 });
    expect(events.at(-1)?.event).toBe('problem');
    const text = await (await fetch(`${url}${path}&format=text`)).text();
    expect(text.trimEnd().split('\n').at(-1)).toBe('# shutting_down: The service ends.');
  });

  it('is told and reported where it is the service’s own fault', async () => {
    const fault = new Error('a secret detail');
    const { url, plans, faults } = await serve(async (plan) => {
      if (plans.length === 3) throw fault;
      return recordOf({ plan });
    });
    const events = eventsOf(await (await fetch(`${url}${path}&progress=true`)).text());
    expect(problemSchema.parse(events.at(-1)?.data)).toMatchObject({ code: 'internal_error', status: 500 });
    expect(JSON.stringify(events)).not.toContain('secret');
    expect(faults).toEqual([fault]);
  });
});

describe('a client that goes away', () => {
  it('ends the comparison', async () => {
    const gone = new AbortController();
    const { url, plans } = await serve(async (plan, signal) => {
      if (plans.length === 3) gone.abort();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return recordOf({ plan, outcome: signal.aborted ? 'cancelled' : 'ok' });
    });
    await expect(fetch(url + path, { signal: gone.signal })).rejects.toThrow(/abort/iu);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(plans.length).toBeLessThan(2 * 4);
  });
});

const eventSchema = z.object({ event: z.string(), data: z.unknown() });

/** Server-sent events, as a browser reads them. */
function eventsOf(text: string): z.infer<typeof eventSchema>[] {
  const events: z.infer<typeof eventSchema>[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => void events.push(eventSchema.parse({ event, data: JSON.parse(data) })),
    onError(error) {
      throw error;
    },
  });
  parser.feed(text);
  return events;
}
