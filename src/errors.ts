import { isSecretName, redactText } from '../otel/redaction.ts';

interface ErrorEntry {
  readonly status: number;
  readonly title: string;
}

/** Every error a request can end with: its code, HTTP status and title. A code is never reused. */
export const errorTable = {
  unknown_workload: { status: 404, title: 'There is no such workload' },
  run_not_found: { status: 404, title: 'There is no such run, or it is no longer kept' },
  not_found: { status: 404, title: 'There is nothing at this path' },
  invalid_parameter: { status: 400, title: 'A parameter is not valid' },
  unsupported_combination: { status: 400, title: 'These parameters cannot be combined' },
  bad_request: { status: 400, title: 'The request cannot be read' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  unauthorized: { status: 401, title: 'A bearer token is needed' },
  forbidden: { status: 403, title: 'Requests from there are not served' },
  no_objects: { status: 422, title: 'There are no objects to fetch' },
  not_configured: { status: 422, title: 'The workload is not configured' },
  too_many_requests: { status: 429, title: 'This client asks too often' },
  busy: { status: 503, title: 'Too many runs are in flight' },
  comparison_running: { status: 503, title: 'A comparison has the machine to itself' },
  shutting_down: { status: 503, title: 'The service is shutting down' },
  tasks_failed: { status: 502, title: 'At least one task failed' },
  no_valid_answer: { status: 502, title: 'No answer is valid' },
  runner_crashed: { status: 502, title: 'The process that executed the run died' },
  upstream_unavailable: { status: 502, title: 'Listing or signing failed, so no task ran' },
  run_timeout: { status: 504, title: 'The run did not end within its time limit' },
  internal_error: { status: 500, title: 'The service failed' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** One parameter that is not as it should be. */
export interface ParameterProblem {
  readonly field: string;
  /** As it was given; `null` when it was not. */
  readonly value: string | null;
  readonly reason: string;
  /** What would be allowed, in words or as the list of values. */
  readonly allowed: string | readonly string[];
}

/** All of them in one sentence without its full stop. */
export function inWords(problems: readonly ParameterProblem[]): string {
  return problems
    .map(repeated)
    .map(({ field, value, reason }) => `${value === null ? field : `${field}=${value}`}: ${reason}`)
    .join('; ');
}

/** What was given is repeated to its sender, but not at any length. */
const longestValue = 200;

function shortened<Text extends string | null>(text: Text, longest = longestValue): Text | string {
  return text === null || text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** Nor is what signs or authorises repeated, lest the answer be kept somewhere. */
function repeated({ value, field, ...others }: ParameterProblem): ParameterProblem {
  const told = value === null || !isSecretName(field) ? value : 'REDACTED';
  return { field, value: told === null ? null : shortened(redactText(told)), ...others };
}

interface BenchErrorOptions extends ErrorOptions {
  readonly problems?: readonly ParameterProblem[];
}

/** The one error class: a code of the table, and words that say what to do about it. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: ErrorCode;
  readonly problems: readonly ParameterProblem[];

  constructor(code: ErrorCode, message: string, options: BenchErrorOptions = {}) {
    super(shortened(redactText(message), 4 * longestValue), options);
    this.code = code;
    this.problems = (options.problems ?? []).map(repeated);
  }

  /** The HTTP status of its code. */
  get status(): number {
    return errorTable[this.code].status;
  }
}
