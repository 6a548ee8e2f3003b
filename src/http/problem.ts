import type { Response } from 'express';
import type { RunRecord } from '../record/record.ts';
import { describeAnswer, type TimingParts } from './answer-headers.ts';
import { errorTable, type BenchError, type ErrorCode, type ParameterProblem } from '../errors.ts';

/** A problem as RFC 9457 has it, with the service's own `code` and, for bad parameters, `errors`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly errors?: readonly ParameterProblem[];
}

/** Seconds after which a request that was refused for want of room may be tried again. A comparison takes longer. */
function retryAfterSeconds(code: ErrorCode): number {
  return code === 'comparison_running' ? 5 : 1;
}

export function problemOf(
  code: ErrorCode,
  detail: string,
  errors: readonly ParameterProblem[] = [],
): Problem {
  const { status, title } = errorTable[code];
  const type = `urn:fanout-bench:error:${code}`;
  return { type, title, status, detail, code, ...(errors.length === 0 ? {} : { errors }) };
}

/** The problem that a run's outcome is; `null` for one that is none (or that has nobody to answer). */
export function problemOfRun({ outcome, failure }: RunRecord): Problem | null {
  if (outcome === 'ok' || outcome === 'cancelled') return null;
  return problemOf(outcome, failure ?? errorTable[outcome].title);
}

/** Answers with a problem; `extra` are fields beside the problem's own, `parts` go into Server-Timing. */
export function sendProblem(
  response: Response,
  problem: Problem,
  extra: object = {},
  parts: TimingParts = {},
): void {
  describeAnswer(response, parts);
  if (problem.status === 503) response.set('Retry-After', String(retryAfterSeconds(problem.code)));
  if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
  response
    .status(problem.status)
    .type('application/problem+json')
    .send(pretty({ ...problem, ...extra }));
}

export function sendError(response: Response, error: BenchError): void {
  sendProblem(response, problemOf(error.code, error.message, error.problems));
}

export function sendJson(response: Response, body: unknown, parts: TimingParts = {}): void {
  describeAnswer(response, parts);
  response.status(200).type('application/json').send(pretty(body));
}

/** For people who read it in a terminal. */
export function pretty(body: unknown): string {
  return `${JSON.stringify(body, null, 2)}\n`;
}
