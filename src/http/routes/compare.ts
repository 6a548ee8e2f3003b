import type { Request, RequestHandler, Response } from 'express';
import { ComparisonFailure } from '../../bench/compare/compare.ts';
import type { Progress } from '../../bench/compare/comparison.ts';
import { comparisonParametersOf } from '../../bench/compare/parameters.ts';
import { planComparison } from '../../bench/compare/plan-comparison.ts';
import { choice } from '../../bench/parameters.ts';
import { workloadNamed } from '../../bench/plan.ts';
import { BenchError, type ParameterProblem } from '../../errors.ts';
import { describeAnswer } from '../answer-headers.ts';
import { clientSignal } from '../client-signal.ts';
import {
  asCsv,
  asJson,
  asMarkdown,
  asText,
  formats,
  mediaTypes,
  type Format,
} from '../comparison/formats.ts';
import { comparisonView, type ComparisonView } from '../comparison/view.ts';
import type { HttpDeps } from '../deps.ts';
import { problemOf, problemOfRun, sendProblem, type Problem } from '../problem.ts';
import { parseQuery, type ParsedQuery } from '../query.ts';
import { comparisonSchema } from '../comparison/schema.ts';
import { runView } from '../view.ts';
import { errorsOfRuns, type Route } from './route.ts';

/** `GET /compare/{workload}`: several strategies in interleaved rounds. */
export function compareRoutes(deps: HttpDeps): readonly Route[] {
  const own = {
    format: choice('How the result is told; text comes with progress.', formats, 'json'),
    progress: {
      kind: 'boolean',
      summary: 'Server-sent events: progress, then the result. So does Accept: text/event-stream.',
      default: false,
    },
  } as const;
  return [
    {
      path: '/compare/:workload',
      summary:
        'Compares strategies in interleaved rounds, and says which is faster, by how much and how sure.',
      open: false,
      answer: { type: 'application/json', schema: comparisonSchema, description: 'The comparison.' },
      otherTypes: [...formats.map((format) => mediaTypes[format]).slice(1), eventStream],
      errors: errorsOfRuns,
      variants: deps.world.workloads.map(({ declaration }) => ({
        value: declaration.name,
        query: { ...comparisonParametersOf(declaration, deps.world), ...own },
      })),
      handle: compareOnce(deps, Object.keys(own)),
    },
  ];
}

const eventStream = 'text/event-stream';

function compareOnce(deps: HttpDeps, ownNames: readonly string[]): RequestHandler {
  return async (request, response) => {
    const workload = String(request.params['workload']);
    const { format, wantsEvents, query } = transportOf(request);
    const plan = planComparison({ workload, ...query }, deps.world, ownNames);
    const teller = tellerFor(format, wantsEvents, response);
    try {
      const record = await deps.bench.compare(plan, clientSignal(request, response), (progress) =>
        teller.progress(progress),
      );
      if (!response.destroyed)
        teller.result(comparisonView(record, deps.surroundings, deps.traceUrlTemplate));
    } catch (error) {
      if (response.destroyed) return;
      if (error instanceof ComparisonFailure) {
        const { record } = error;
        const { code, detail } = problemOfRun(record) ?? problemOf('internal_error', error.message);
        // One of many: it must be told which.
        const problem = problemOf(code, `A run of ${record.plan.strategy} failed: ${detail}`);
        const declaration = workloadNamed(record.plan.workload, deps.world);
        teller.problem(problem, runView(record, declaration, deps.traceUrlTemplate));
      } else if (response.headersSent) {
        teller.problem(problemAfterHead(error, deps), {});
      } else throw error;
    }
  };
}

/** What can no longer be said with a status. */
function problemAfterHead(error: unknown, { reportFault }: HttpDeps): Problem {
  if (error instanceof BenchError) return problemOf(error.code, error.message, error.problems);
  reportFault(error);
  return problemOf('internal_error', 'The service failed; its log says more.');
}

interface Transport {
  readonly format: Format;
  readonly wantsEvents: boolean;
  /** What is left for the comparison. */
  readonly query: ParsedQuery;
}

/** What the query says of the way the result is told. */
function transportOf(request: Request): Transport {
  const parsed = parseQuery(request.url);
  const { format: formatText = 'json', progress, ...given } = parsed.given;
  const problems: ParameterProblem[] = [...parsed.problems];
  const format = formats.find((name) => name === formatText);
  if (format === undefined)
    problems.push({
      field: 'format',
      value: formatText,
      reason: 'is not one of the values',
      allowed: formats,
    });
  if (progress !== undefined && progress !== 'true' && progress !== 'false')
    problems.push({
      field: 'progress',
      value: progress,
      reason: 'is not one of the values',
      allowed: ['true', 'false'],
    });
  const wantsEvents =
    progress === undefined ? request.headers.accept?.includes(eventStream) === true : progress === 'true';
  if (wantsEvents && formatText !== 'json')
    problems.push({ field: 'format', value: formatText, reason: 'events carry JSON', allowed: ['json'] });
  return { format: format ?? 'json', wantsEvents, query: { given, problems } };
}

/** Tells a client of a comparison, as it asked for. */
interface Teller {
  progress(progress: Progress): void;
  result(view: ComparisonView): void;
  problem(problem: Problem, run: object): void;
}

function tellerFor(format: Format, wantsEvents: boolean, response: Response): Teller {
  if (wantsEvents) return events(response);
  return format === 'text' ? textWithProgress(response) : atTheEnd(format, response);
}

function atTheEnd(format: Format, response: Response): Teller {
  return {
    progress() {},
    result(view) {
      const write = { json: asJson, markdown: asMarkdown, csv: asCsv, text: asText }[format];
      describeAnswer(response);
      response.status(200).type(mediaTypes[format]).send(write(view));
    },
    problem: (problem, run) => sendProblem(response, problem, run),
  };
}

/** Server-sent events (WHATWG HTML, 9.2). */
function events(response: Response): Teller {
  const send = (event: string, data: object): void => {
    begin(response, eventStream);
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  return {
    progress: (progress) => send('progress', progress),
    result(view) {
      send('result', view);
      response.end();
    },
    problem(problem, run) {
      if (!response.headersSent) return sendProblem(response, problem, run);
      send('problem', { ...problem, ...run });
      response.end();
    },
  };
}

/** Not more often than a reader can follow. */
const progressEveryMs = 2_000;

function textWithProgress(response: Response): Teller {
  let toldMs = -Infinity;
  return {
    progress({ phase, round, rounds, strategy, cell, cells, elapsedMs, leftMs }) {
      begin(response, mediaTypes.text);
      if (elapsedMs - toldMs < progressEveryMs) return;
      toldMs = elapsedMs;
      const which = phase === 'round' ? `round ${round}${rounds === null ? '' : ` of ${rounds}`}` : phase;
      const where = cells === 1 ? '' : `, cell ${cell + 1} of ${cells}`;
      const left =
        leftMs === null ? '' : `, ${Math.ceil(leftMs / 1000)} s left${rounds === null ? ' at most' : ''}`;
      response.write(`# ${which}${where}: ${strategy}${left}\n`);
    },
    result(view) {
      begin(response, mediaTypes.text);
      response.end(`\n${asText(view)}`);
    },
    problem(problem, run) {
      if (!response.headersSent) return sendProblem(response, problem, run);
      response.end(`# ${problem.code}: ${problem.detail}\n`);
    },
  };
}

/** The head of an answer that comes bit by bit. */
function begin(response: Response, type: string): void {
  if (response.headersSent) return;
  describeAnswer(response);
  response.status(200).type(type).flushHeaders();
}
