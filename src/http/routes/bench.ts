import type { RequestHandler } from 'express';
import { planRun, workloadNamed } from '../../bench/plan.ts';
import { parametersOf } from '../../bench/parameters.ts';
import type { RunRecord } from '../../record/record.ts';
import { betweenMs, nsToMs } from '../../record/clock.ts';
import { clientSignal } from '../client-signal.ts';
import type { HttpDeps } from '../deps.ts';
import { problemOfRun, sendJson, sendProblem } from '../problem.ts';
import { parseQuery } from '../query.ts';
import { runSchema } from '../schemas.ts';
import { runView } from '../view.ts';
import { errorsOfRuns, linksToRun, type Route } from './route.ts';

/** `GET /bench/{workload}`: one run. */
export function benchRoutes(deps: HttpDeps): readonly Route[] {
  return [
    {
      path: '/bench/:workload',
      summary: 'Runs a workload once, with one strategy.',
      open: false,
      answer: { type: 'application/json', schema: runSchema, description: 'The run.' },
      links: linksToRun('/run/id'),
      errors: errorsOfRuns,
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
    const workload = String(request.params['workload']);
    const plan = planRun({ workload, ...parseQuery(request.url) }, world);
    const record = await bench.run(plan, clientSignal(request, response));
    if (response.destroyed) return;
    const view = runView(record, workloadNamed(plan.workload, world), traceUrlTemplate);
    const problem = problemOfRun(record);
    const parts = partsOf(record);
    if (problem === null) return sendJson(response, view, parts);
    // A 503 says that nothing was done, so there is nothing to show for it.
    sendProblem(response, problem, problem.status === 503 ? {} : view, parts);
  };
}

/** A run's parts, for Server-Timing. */
function partsOf({ signing, startedAtNs, fanOutStartedAtNs, endedAtNs }: RunRecord) {
  return {
    // Finding a runner and listing the bucket: before the run's start.
    before: nsToMs(startedAtNs),
    run: nsToMs(endedAtNs - startedAtNs),
    sign: signing === null ? null : nsToMs(signing.toNs - signing.fromNs),
    fanout: betweenMs(fanOutStartedAtNs, endedAtNs),
  };
}
