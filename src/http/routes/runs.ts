import { BenchError } from '../../errors.ts';
import { workloadNamed } from '../../bench/plan.ts';
import type { RunRecord } from '../../record/record.ts';
import type { HttpDeps } from '../deps.ts';
import { describeAnswer } from '../answer-headers.ts';
import { sendPieces } from '../pieces.ts';
import { problemOfRun, sendJson } from '../problem.ts';
import { refuseParameters } from '../query.ts';
import { keptRunSchema, runListSchema, traceSchema } from '../schemas.ts';
import { runView } from '../view.ts';
import { linksToRun, linkToTrace, type Route } from './route.ts';

/** The last runs, one of them, and its spans as a file. */
export function runRoutes({ world, bench, archive, traceUrlTemplate }: HttpDeps): readonly Route[] {
  const find = (id: unknown): RunRecord => {
    const record = archive.get(String(id));
    if (record !== null) return record;
    throw new BenchError(
      'run_not_found',
      `There is no run "${String(id)}", or it is no longer kept. See GET /runs.`,
    );
  };
  return [
    {
      path: '/runs',
      summary: 'The last runs, newest first.',
      open: false,
      answer: { type: 'application/json', schema: runListSchema, description: 'Their summaries.' },
      links: linksToRun('/runs/0/id'),
      errors: ['invalid_parameter'],
      handle(request, response) {
        refuseParameters(request.url);
        sendJson(response, { runs: archive.list() });
      },
    },
    {
      path: '/runs/:id',
      summary: 'One of the last runs again, as it was answered.',
      open: false,
      answer: {
        type: 'application/json',
        schema: keptRunSchema,
        description: 'The run; one that failed with its problem.',
      },
      links: linkToTrace('/run/id'),
      errors: ['run_not_found', 'invalid_parameter'],
      handle(request, response) {
        refuseParameters(request.url);
        const record = find(request.params['id']);
        const workload = workloadNamed(record.plan.workload, world);
        sendJson(response, { ...problemOfRun(record), ...runView(record, workload, traceUrlTemplate) });
      },
    },
    {
      path: '/runs/:id/trace.json',
      summary: "A run's spans as OTLP JSON, the file that Jaeger's upload and any collector take.",
      open: false,
      answer: { type: 'application/json', schema: traceSchema, description: 'An ExportTraceServiceRequest.' },
      errors: ['run_not_found', 'invalid_parameter'],
      async handle(request, response) {
        refuseParameters(request.url);
        const record = find(request.params['id']);
        response.set('Content-Disposition', `attachment; filename="${record.id}.trace.json"`);
        describeAnswer(response);
        response.type('application/json');
        await sendPieces(request, response, bench.traceJson(record));
      },
    },
  ];
}
