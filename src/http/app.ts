import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { BenchError } from '../errors.ts';
import { noteArrival } from './answer-headers.ts';
import type { HttpDeps } from './deps.ts';
import { bodyGuard, corsGuard, originGuard, rateGuard, tokenGuard, urlGuard } from './guards.ts';
import { problemOf, sendError, sendProblem } from './problem.ts';
import { benchRoutes } from './routes/bench.ts';
import { compareRoutes } from './routes/compare.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { openapiRoutes } from './routes/openapi.ts';
import { operationRoutes } from './routes/operations.ts';
import { runRoutes } from './routes/runs.ts';
import type { Route } from './routes/route.ts';

/** Every route, in the order of the documentation. */
export function routesOf(deps: HttpDeps): readonly Route[] {
  const routes = [
    ...benchRoutes(deps),
    ...compareRoutes(deps),
    ...runRoutes(deps),
    ...catalogueRoutes(deps),
    ...operationRoutes(deps),
  ];
  return [...routes, ...openapiRoutes(deps, routes)];
}

/** The Express application: transport and nothing else. */
export function createApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Paths are what they are: what else knows them, such as what makes no spans, need not guess.
  app.enable('case sensitive routing');
  // The query is read by hand, so that what is given twice is seen.
  app.set('query parser', false);
  app.use(noteArrival, plainHelmet, noStore, urlGuard);
  app.use(originGuard(deps.allowedHosts, deps.corsOrigins), corsGuard(deps.corsOrigins), bodyGuard);
  const guards = [rateGuard(deps.rateLimitPerMinute), tokenGuard(deps.benchToken)];
  for (const { path, handle, open } of routesOf(deps)) {
    // Before Express's own GET, which would answer HEAD too and so start a run.
    app.all(path, onlyGet, ...(open ? [] : guards));
    app.get(path, handle);
  }
  app.use(({ path }) => {
    throw new BenchError('not_found', `There is nothing at ${path}. GET /openapi.json lists what there is.`);
  });
  app.use(errorHandler(deps));
  return app;
}

/** The service speaks plain HTTP, so nothing may ask browsers for HTTPS. */
const plainHelmet = helmet({
  strictTransportSecurity: false,
  // There is no page that would need anything.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

const noStore: RequestHandler = (_, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

const onlyGet: RequestHandler = ({ method, path }, response, next) => {
  if (method === 'GET') return next();
  response.set('Allow', 'GET');
  const problem = { field: 'method', value: method, reason: 'is not taken here', allowed: ['GET'] };
  throw new BenchError('method_not_allowed', `${path} takes GET, not ${method}.`, { problems: [problem] });
};

/** Where runs and comparisons are asked for. */
const asksForWork = /^\/(?:bench|compare)\//u;

function errorHandler({ metrics, reportFault }: HttpDeps): ErrorRequestHandler {
  return (error: unknown, { path }, response, _next) => {
    if (error instanceof BenchError && asksForWork.test(path)) metrics.rejected(error.code);
    // The client has gone; there is nobody to answer.
    if (response.destroyed) return;
    if (response.headersSent) {
      reportFault(error);
      // That the answer is not whole must be seen.
      return response.destroy();
    }
    if (error instanceof BenchError) return sendError(response, error);
    if (isUnreadable(error))
      return sendProblem(response, problemOf('bad_request', 'The request cannot be read.'));
    reportFault(error);
    sendProblem(response, problemOf('internal_error', 'The service failed; its log says more.'));
  };
}

/** Express's own complaint about a path that is not percent-encoded text. */
function isUnreadable(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}
