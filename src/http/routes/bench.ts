import { trace } from '@opentelemetry/api';
import type { Request, RequestHandler, Response } from 'express';
import { planRun, workloadNamed } from '../../bench/plan.ts';
import { parametersOf } from '../../bench/parameters.ts';
import type { RunRecord } from '../../record/record.ts';
import { nsToMs } from '../../record/clock.ts';
import type { HttpDeps } from '../deps.ts';
import { problemOfRun, sendJson, sendProblem } from '../problem.ts';
import { parseQuery } from '../query.ts';
import { runSchema } from '../schemas.ts';
import { runView } from '../view.ts';
import type { Route } from './route.ts';

/** `GET /bench/{workload}`: one run. */
export function benchRoutes(deps: HttpDeps): readonly Route[] {
  return [
    {
      path: '/bench/:workload',
      summary: 'Runs a workload once, with one strategy.',
      open: false,
      answer: { type: 'application/json', schema: runSchema, description: 'The run.' },
      errors: [
        'unknown_workload',
        'invalid_parameter',
        'unsupported_combination',
        'not_configured',
        'no_objects',
        'busy',
        'shutting_down',
        'tasks_failed',
        'runner_crashed',
        'upstream_unavailable',
        'run_timeout',
      ],
      variants: deps.world.workloads.map(({ declaration }) => ({
        value: declaration.name,
        query: parametersOf(declaration, deps.world),
      })),
      handle: runOnce(deps),
    },
  ];
}

function runOnce({ world, bench, traceUrlTemplate }: HttpDeps): RequestHandler {
  return async (request, response) => {
    const requestedMs = performance.now();
    const workload = String(request.params['workload']);
    const plan = planRun({ workload, ...parseQuery(request.url) }, world);
    const record = await bench.run(plan, signalOf(request, response));
    if (response.destroyed) return;
    response.set(runHeaders(record, performance.now() - requestedMs));
    const view = runView(record, workloadNamed(plan.workload, world).work, traceUrlTemplate);
    const problem = problemOfRun(record);
    if (problem === null) return sendJson(response, view);
    sendProblem(response, problem, view);
  };
}

/** Fires when the client goes away before it has its answer. */
function signalOf(request: Request, response: Response): AbortSignal {
  const controller = new AbortController();
  const gone = (): void => controller.abort(new Error('the client went away'));
  response.once('close', () => {
    if (!response.writableFinished) gone();
  });
  if (request.destroyed) gone();
  return controller.signal;
}

/** Server-Timing (W3C) with the run's parts, and the trace as `traceresponse` (W3C Trace Context, draft). */
function runHeaders({ signing, startedAtNs, fanOutStartedAtNs, endedAtNs }: RunRecord, totalMs: number) {
  const durations = {
    total: totalMs,
    run: nsToMs(endedAtNs - startedAtNs),
    sign: signing === null ? null : nsToMs(signing.toNs - signing.fromNs),
    fanout: fanOutStartedAtNs === null ? null : nsToMs(endedAtNs - fanOutStartedAtNs),
  };
  const span = trace.getActiveSpan()?.spanContext();
  return {
    'Server-Timing': Object.entries(durations)
      .filter(([, ms]) => ms !== null)
      .map(([name, ms]) => `${name};dur=${Number(ms).toFixed(3)}`)
      .join(', '),
    ...(span === undefined
      ? {}
      : {
          traceresponse: `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`,
        }),
  };
}
