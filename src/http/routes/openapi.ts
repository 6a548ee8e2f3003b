import { z } from 'zod';
import type { HttpDeps } from '../deps.ts';
import { openapiDocument } from '../openapi.ts';
import { sendJson } from '../problem.ts';
import type { Route } from './route.ts';

/** The description of all paths, this one included. */
export function openapiRoutes(deps: HttpDeps, others: readonly Route[]): readonly Route[] {
  const route: Route = {
    path: '/openapi.json',
    summary: 'This description, OpenAPI 3.1.',
    open: true,
    answer: { type: 'application/json', schema: z.looseObject({ openapi: z.string() }), description: 'It.' },
    errors: [],
    handle(_, response) {
      sendJson(response, document);
    },
  };
  const document = openapiDocument([...others, route], deps);
  return [route];
}
