import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { comparisonParametersOf } from '../../src/bench/compare/parameters.ts';
import { parametersOf } from '../../src/bench/parameters.ts';
import { errorTable } from '../../src/errors.ts';
import { routesOf } from '../../src/http/app.ts';
import { openapiDocument } from '../../src/http/openapi.ts';
import { depsOf } from './http-app.ts';

/** As much of OpenAPI 3.1 as is asserted here. */
const content = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const links = z
  .record(z.string(), z.object({ operationId: z.string(), parameters: z.record(z.string(), z.string()) }))
  .default({});
const operation = z.object({
  operationId: z.string(),
  security: z.array(z.unknown()).optional(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.enum(['query', 'path']), schema: z.record(z.string(), z.unknown()) }),
  ),
  responses: z.record(z.string(), z.object({ description: z.string(), content, links })),
});
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.strictObject({ get: operation })),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

const deps = depsOf({ rateLimitPerMinute: 10 });
const document = documentOf(null);
const operations = Object.entries(document.paths).map(([path, { get }]) => ({ path, ...get }));

describe('the OpenAPI description', () => {
  it.each(deps.world.workloads.map(({ declaration }) => declaration))(
    '$name has exactly the parameters that validation takes, with their bounds',
    (workload) => {
      const told = document.paths[`/bench/${workload.name}`]?.get.parameters;
      const expected = Object.entries(parametersOf(workload, deps.world)).map(([name, declared]) => ({
        name,
        in: 'query',
        schema:
          declared.kind === 'integer'
            ? {
                type: 'integer',
                minimum: declared.minimum,
                maximum: declared.maximum,
                ...(declared.default === null ? {} : { default: declared.default }),
              }
            : declared.kind === 'boolean'
              ? { type: 'boolean', default: declared.default }
              : { type: 'string', enum: declared.values, default: declared.default },
      }));
      expect(told).toEqual(expected);
    },
  );

  it.each(deps.world.workloads.map(({ declaration }) => declaration))(
    '$name is compared with the parameters of a comparison, those of its runs as lists',
    (workload) => {
      const told = document.paths[`/compare/${workload.name}`]?.get.parameters ?? [];
      const declared = comparisonParametersOf(workload, deps.world);
      expect(told.map(({ name }) => name)).toEqual([...Object.keys(declared), 'format', 'progress']);
      const schemas = Object.fromEntries(told.map(({ name, schema }) => [name, schema]));
      expect(schemas['rounds']).toEqual({
        oneOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: 1_000 }],
        default: 'auto',
      });
      expect(schemas['format']?.['enum']).toEqual(['json', 'text', 'markdown', 'csv']);
      const ofRuns = document.paths[`/bench/${workload.name}`]?.get.parameters ?? [];
      const lists = ofRuns.filter(({ name }) => name !== 'strategy');
      for (const { name, schema: items } of lists)
        expect(schemas[name]).toEqual({ type: 'array', items, minItems: 1, uniqueItems: true });
    },
  );

  it('tells every media type of a comparison', () => {
    const told = document.paths['/compare/fib']?.get.responses['200']?.content ?? {};
    expect(Object.keys(told).toSorted()).toEqual([
      'application/json',
      'text/csv',
      'text/event-stream',
      'text/markdown',
      'text/plain',
    ]);
  });

  it('declares what stands in a path as a parameter', () => {
    for (const { path, parameters } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath);
    }
  });

  it('links to what it has, with values that stand in the answer', () => {
    const all = operations.flatMap(({ path, responses }) =>
      Object.values(responses).flatMap((response) =>
        Object.values(response.links).map((link) => ({ path, link, schema: jsonOf(response.content) })),
      ),
    );
    const linked = new Set(all.map(({ path }) => path));
    const runs = deps.world.workloads.map(({ declaration }) => `/bench/${declaration.name}`);
    expect([...linked].toSorted()).toEqual([...runs, '/runs', '/runs/{id}'].toSorted());
    for (const { path, link, schema } of all) {
      const target = operations.find(({ operationId }) => operationId === link.operationId);
      expect(Object.keys(link.parameters)).toEqual(target?.parameters.map(({ name }) => name));
      for (const value of Object.values(link.parameters)) {
        const [start, pointer = ''] = value.split('#');
        expect(start).toBe('$response.body');
        const types = standingAt(schema, pointer.split('/').slice(1));
        expect(types, `${value} of ${path}`).toEqual(types.map(() => 'string'));
        expect(types.length).toBeGreaterThan(0);
      }
    }
  });

  it('tells every code of the error table under its own status, and no error but as problem+json', () => {
    // What answers where there is no path is on no path.
    const told = new Set<string>(['not_found']);
    for (const { responses } of documentOperations('a-long-enough-token')) {
      for (const [status, { description, content: media }] of Object.entries(responses)) {
        const codes = [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code ?? '');
        for (const code of codes) {
          told.add(code);
          expect(errorTable).toHaveProperty(code);
          expect(Object.entries(errorTable).find(([name]) => name === code)?.[1].status).toBe(Number(status));
          expect(Object.keys(media)).toContain('application/problem+json');
        }
      }
    }
    expect([...told].toSorted()).toEqual(Object.keys(errorTable).toSorted());
  });

  it('refers only to schemas that it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? '');
  });

  it('asks for a token on the paths that need one, and only where one is configured', () => {
    expect(operations.every(({ security }) => security === undefined)).toBe(true);
    const open = documentOperations('a-long-enough-token').filter(({ security }) => security === undefined);
    expect(open.map(({ operationId }) => operationId)).toEqual([
      'healthz',
      'readyz',
      'metrics',
      'openapi_json',
    ]);
  });
});

function jsonOf(media: z.infer<typeof content>): unknown {
  return media['application/json']?.schema;
}

const node = z.object({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
});

/** The types of what a JSON pointer finds, one a variant of the answer; null where it may find nothing. */
function standingAt(schema: unknown, [key, ...rest]: readonly string[]): (string | null)[] {
  const { type, properties, required, items, anyOf } = node.parse(schema);
  if (anyOf !== undefined)
    return anyOf.flatMap((one) => standingAt(one, key === undefined ? [] : [key, ...rest]));
  if (key === undefined) return [type ?? null];
  if (type === 'array' && /^\d+$/.test(key)) return standingAt(items, rest);
  return required.includes(key) ? standingAt(properties[key], rest) : [null];
}

function documentOf(benchToken: string | null) {
  const guarded = { ...deps, benchToken };
  return documentSchema.parse(openapiDocument(routesOf(guarded), guarded));
}

function documentOperations(benchToken: string) {
  return Object.values(documentOf(benchToken).paths).map(({ get }) => get);
}
