import type { RequestHandler } from 'express';
import type { z } from 'zod';
import type { ComparisonParameter } from '../../bench/compare/parameters.ts';
import type { ErrorCode } from '../../errors.ts';

/** One path: how it is served, and what OpenAPI says of it. Every path takes GET alone. */
export interface Route {
  /** As Express writes it. */
  readonly path: string;
  readonly summary: string;
  /** Needs no token: what an orchestrator asks. */
  readonly open: boolean;
  readonly answer: { readonly type: string; readonly schema: z.ZodType; readonly description: string };
  /** Media types that it can be had in beside that one, as text. */
  readonly otherTypes?: readonly string[];
  /** Where its answer leads, by name: another path, and where in the answer the values of its parameters stand. */
  readonly links?: Readonly<Record<string, { readonly path: string; readonly parameters: Values }>>;
  /** Codes it can fail with, beside those of every path. */
  readonly errors: readonly ErrorCode[];
  /** Paths with a parameter in them: its values, where they are known, each with the query that goes with it. */
  readonly variants?: readonly {
    readonly value: string;
    readonly query: Readonly<Record<string, ComparisonParameter>>;
  }[];
  readonly handle: RequestHandler;
}

/** OpenAPI runtime expressions (`$response.body#/run/id`), by the parameter's name. */
type Values = Readonly<Record<string, string>>;

/** Where an answer leads that has a run's id at `pointer` (JSON Pointer, RFC 6901). */
export function linksToRun(pointer: string): NonNullable<Route['links']> {
  return { run: { path: '/runs/:id', parameters: idAt(pointer) }, ...linkToTrace(pointer) };
}

/** The same for the answer that is the run already. */
export function linkToTrace(pointer: string): NonNullable<Route['links']> {
  return { trace: { path: '/runs/:id/trace.json', parameters: idAt(pointer) } };
}

function idAt(pointer: string): Values {
  return { id: `$response.body#${pointer}` };
}

/** What can come of asking for a run, or for many. */
export const errorsOfRuns: readonly ErrorCode[] = [
  'unknown_workload',
  'invalid_parameter',
  'unsupported_combination',
  'not_configured',
  'no_objects',
  'busy',
  'comparison_running',
  'shutting_down',
  'tasks_failed',
  'no_valid_answer',
  'runner_crashed',
  'upstream_unavailable',
  'run_timeout',
];
