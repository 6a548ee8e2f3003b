import { describeAnswer } from '../answer-headers.ts';
import type { HttpDeps } from '../deps.ts';
import { pretty, sendJson } from '../problem.ts';
import { healthSchema, metricsSchema, readinessSchema } from '../schemas.ts';
import type { Route } from './route.ts';

/** What an orchestrator asks; no token, no span. */
export function operationRoutes({ bench, metrics, version }: HttpDeps): readonly Route[] {
  return [
    {
      path: '/healthz',
      summary: 'Whether the service is alive.',
      open: true,
      answer: { type: 'application/json', schema: healthSchema, description: 'It is.' },
      errors: [],
      handle(_, response) {
        sendJson(response, { status: 'ok', version });
      },
    },
    {
      path: '/readyz',
      summary:
        'Whether it can run: a runner is up and the target can be reached. 503 with the same body when not.',
      open: true,
      answer: { type: 'application/json', schema: readinessSchema, description: 'It can.' },
      errors: [],
      async handle(_, response) {
        const checks = await bench.readiness();
        const ready = checks.every(({ ok }) => ok);
        describeAnswer(response);
        response
          .status(ready ? 200 : 503)
          .type('application/json')
          .send(pretty({ ready, checks }));
      },
    },
    {
      path: '/metrics',
      summary: "Metrics of the service and its runs, in Prometheus's text format.",
      open: true,
      answer: { type: 'text/plain', schema: metricsSchema, description: 'They.' },
      errors: [],
      async handle(_, response) {
        const text = await metrics.text();
        describeAnswer(response);
        response.type(prometheusText).send(text);
      },
    },
  ];
}

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';
