import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { strategiesSchema, workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { lameRuntime, ownRuntime, targetAt, worldOf } from '../support/run-on-runner.ts';
import { serveFake, type FakeService } from './http-app.ts';

/** What HTTP says of runtimes, one of which has no isolates. */
let service: FakeService;
beforeAll(async () => {
  service = await serveFake({ world: worldOf(targetAt(null), {}, [ownRuntime, lameRuntime]) });
});
afterAll(() => service.close());

describe('runtimes', () => {
  it.each([
    ['/workloads', workloadsSchema],
    ['/strategies', strategiesSchema],
  ])('are listed by %s with their version and what they can not do', async (path, schema) => {
    const { runtimes } = await get(path, 200, schema);
    expect(runtimes).toMatchObject([
      { name: 'node26', default: true, isolates: { possible: true, reason: null } },
      { name: 'node22', default: false, isolates: { possible: false, reason: lameRuntime.noIsolates } },
    ]);
  });

  it('can be asked for by the names in the catalogue', async () => {
    const { workloads } = await get('/workloads', 200, workloadsSchema);
    for (const { parameters } of workloads)
      expect(parameters['runtime']).toMatchObject({ values: ['node26', 'node22'], default: 'node26' });
    expect((await fetch(`${service.url}/bench/fib?runtime=node22&strategy=threads`)).status).toBe(200);
    expect(service.plans.at(-1)?.runtime).toBe('node22');
  });

  it('are refused for what they can not do, with the reason of the catalogue', async () => {
    const refusal = { field: 'runtime', value: 'node22', reason: lameRuntime.noIsolates };
    expect(await get('/bench/fib?strategy=isolate-threads&runtime=node22', 400, problemSchema)).toMatchObject(
      { code: 'unsupported_combination', errors: [{ ...refusal, allowed: ['node26'] }] },
    );
    const { workloads } = await get('/workloads', 200, workloadsSchema);
    const cell = workloads
      .find(({ name }) => name === 'fib')
      ?.strategies.find(({ strategy }) => strategy === 'isolate-threads');
    expect(cell?.runtimes).toEqual({ node26: null, node22: lameRuntime.noIsolates });
  });
});

async function get<Schema extends z.ZodType>(
  path: string,
  status: number,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const answer = await fetch(service.url + path);
  expect(answer.status).toBe(status);
  return schema.parse(await answer.json());
}
