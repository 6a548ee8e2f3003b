import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { errorTable, type ErrorCode } from '../errors.ts';
import type { ComparisonParameter } from '../bench/compare/parameters.ts';
import type { HttpDeps } from './deps.ts';
import type { Route } from './routes/route.ts';
import { failedRunSchema, problemSchema, readinessSchema } from './schemas.ts';

/** Codes that any path can answer with. */
const everywhere: readonly ErrorCode[] = ['bad_request', 'forbidden', 'method_not_allowed', 'internal_error'];
/** Codes whose answers carry a whole run. */
const withRun = new Set<ErrorCode>(['tasks_failed', 'runner_crashed', 'upstream_unavailable', 'run_timeout']);

/**
 * The OpenAPI 3.1 description of the routes. A path whose parameter has known values becomes one path a value, so
 * that each workload has exactly its own parameters.
 */
export function openapiDocument(
  routes: readonly Route[],
  { version, benchToken, rateLimitPerMinute }: HttpDeps,
): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'fanout-bench',
      version,
      description:
        'Which way of running N independent pieces of work at once is fastest here, by how much, and why.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: Object.fromEntries(
      routes.flatMap((route) =>
        pathsOf(route, { guarded: benchToken !== null, limited: rateLimitPerMinute !== null }),
      ),
    ),
    components: {
      schemas: {
        Problem: jsonSchema(problemSchema),
        FailedRun: jsonSchema(failedRunSchema),
        Readiness: jsonSchema(readinessSchema),
      },
      ...(benchToken === null ? {} : { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}

interface Guards {
  readonly guarded: boolean;
  readonly limited: boolean;
}

function pathsOf(route: Route, guards: Guards): [string, object][] {
  if (route.variants === undefined) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => pathParameter(name ?? ''));
    return [[path, { get: operation(route, guards, operationId(route.path), inPath) }]];
  }
  return route.variants.map(({ value, query }) => {
    const path = route.path.replace(/:\w+/, value);
    const parameters = Object.entries(query).map(([name, declaration]) => queryParameter(name, declaration));
    return [path, { get: operation(route, guards, operationId(path), parameters) }];
  });
}

/** `/runs/:id/trace.json` becomes `runs_id_trace_json`. */
function operationId(path: string): string {
  return path.replaceAll(/[^a-z0-9]+/gi, '_').replace(/^_/, '');
}

function operation(
  route: Route,
  { guarded, limited }: Guards,
  id: string,
  parameters: readonly object[],
): object {
  const { description } = route.answer;
  const tokenAsked = guarded && !route.open;
  return {
    operationId: id,
    summary: route.summary,
    ...(tokenAsked ? { security: [{ token: [] }] } : {}),
    parameters,
    responses: {
      200: { description, content: contentOf(route), ...linksOf(route) },
      ...(route.path === '/readyz' ? { 503: readinessResponse } : {}),
      ...errorResponses([
        ...route.errors,
        ...everywhere,
        ...(tokenAsked ? (['unauthorized'] as const) : []),
        ...(limited && !route.open ? (['too_many_requests'] as const) : []),
      ]),
    },
  };
}

function contentOf({ answer: { type, schema }, otherTypes = [] }: Route): object {
  const others = otherTypes.map((other) => {
    const [bare] = other.split(';', 1);
    return [bare, { schema: bare === 'text/event-stream' ? eventSchema : { type: 'string' } }];
  });
  return { [type]: { schema: jsonSchema(schema) }, ...Object.fromEntries(others) };
}

function linksOf({ links }: Route): { readonly links?: object } {
  if (links === undefined) return {};
  const described = Object.entries(links).map(([name, { path, parameters }]) => [
    name,
    { operationId: operationId(path), parameters },
  ]);
  return { links: Object.fromEntries(described) };
}

/** Of one event: OpenAPI 3.1 has no words for a sequence of them, and tools take it so. */
const eventSchema = {
  type: 'object',
  properties: {
    event: { enum: ['progress', 'result', 'problem'] },
    data: { type: 'string', contentMediaType: 'application/json' },
  },
  required: ['event', 'data'],
};

const readinessResponse = {
  description: 'It can not run now; the checks say why.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Readiness' } } },
};

/** One response a status, with every code that has it. */
function errorResponses(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => {
      const schema = all.some((code) => withRun.has(code)) ? 'FailedRun' : 'Problem';
      const description = all.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join(' ');
      const content = { 'application/problem+json': { schema: { $ref: `#/components/schemas/${schema}` } } };
      return [String(status), { description, content }];
    }),
  );
}

function pathParameter(name: string): object {
  return { name, in: 'path', required: true, schema: { type: 'string' } };
}

function queryParameter(name: string, declaration: ComparisonParameter): object {
  const { summary } = declaration;
  const schema = schemaOf(declaration);
  const list = declaration.kind === 'list' ? { style: 'form', explode: false } : {};
  return { name, in: 'query', required: false, description: summary, ...list, schema };
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...bare } = z.toJSONSchema(schema, { override: pairAsArray });
  return bare;
}

/** A pair is an array of two of its kind: the same, in words that more tools know than `prefixItems`. */
function pairAsArray({ jsonSchema: described }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const [first, ...others] = described.prefixItems ?? [];
  if (first === undefined || others.some((other) => !isDeepStrictEqual(other, first))) return;
  delete described.prefixItems;
  described.items = first;
}

function schemaOf(declaration: ComparisonParameter): object {
  switch (declaration.kind) {
    case 'integer': {
      const { minimum, maximum, default: fallback } = declaration;
      return { type: 'integer', minimum, maximum, ...(fallback === null ? {} : { default: fallback }) };
    }
    case 'choice':
      return { type: 'string', enum: declaration.values, default: declaration.default };
    case 'list':
      return { type: 'array', items: schemaOf(declaration.items), minItems: 1, uniqueItems: true };
    case 'number-or-word': {
      const { word, minimum, maximum, default: fallback } = declaration;
      return { oneOf: [{ const: word }, { type: 'integer', minimum, maximum }], default: fallback };
    }
    case 'boolean':
      return { type: 'boolean', default: declaration.default };
  }
}
