import { runtimeCards, strategyCards, workloadCards } from '../../bench/catalogue.ts';
import type { HttpDeps } from '../deps.ts';
import { sendJson } from '../problem.ts';
import { refuseParameters } from '../query.ts';
import { strategiesSchema, workloadsSchema } from '../catalogue-schemas.ts';
import type { Route } from './route.ts';

/** What there is, what works with what, and why the rest does not. */
export function catalogueRoutes({ world }: HttpDeps): readonly Route[] {
  return [
    {
      path: '/workloads',
      summary: 'Every workload, its parameters and the strategies it can run with.',
      open: false,
      answer: { type: 'application/json', schema: workloadsSchema, description: 'The workloads.' },
      errors: ['invalid_parameter'],
      handle(request, response) {
        refuseParameters(request.url);
        sendJson(response, { workloads: workloadCards(world), runtimes: runtimeCards(world) });
      },
    },
    {
      path: '/strategies',
      summary: 'Every strategy, what it is and what it can do.',
      open: false,
      answer: { type: 'application/json', schema: strategiesSchema, description: 'The strategies.' },
      errors: ['invalid_parameter'],
      handle(request, response) {
        refuseParameters(request.url);
        sendJson(response, { strategies: strategyCards(world), runtimes: runtimeCards(world) });
      },
    },
  ];
}
