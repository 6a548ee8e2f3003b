/** The codes that the service's answers have where they are not 200, as its documentation of the API lists them. */
export const errorCodes = [
  'unknown_workload',
  'run_not_found',
  'not_found',
  'invalid_parameter',
  'unsupported_combination',
  'bad_request',
  'method_not_allowed',
  'unauthorized',
  'forbidden',
  'no_objects',
  'not_configured',
  'too_many_requests',
  'busy',
  'comparison_running',
  'shutting_down',
  'tasks_failed',
  'no_valid_answer',
  'runner_crashed',
  'upstream_unavailable',
  'run_timeout',
  'internal_error',
] as const;

/** Where no answer came: k6's own codes of the errors that are seen most (Error codes in its documentation). */
const noAnswers: Readonly<Record<number, string>> = {
  1050: 'timed_out',
  1101: 'no_such_host',
  1211: 'timed_out',
  1212: 'connection_refused',
  1220: 'connection_reset',
};

/** What any other error without an answer is called. */
const unanswered = 'unanswered';
/** What an answer without a code of the service is called: something between may have given it. */
const other = 'other';

/** Codes of requests that were not answered. */
export const noAnswerCodes: readonly string[] = [...new Set([...Object.values(noAnswers), unanswered])];

/** Everything that can become of a request but 200. */
export const failureCodes: readonly string[] = [...errorCodes, other, ...noAnswerCodes];

/** What became of a request that got no answer. */
export function noAnswerCode(k6ErrorCode: number): string {
  return noAnswers[k6ErrorCode] ?? unanswered;
}

/** The code in an answer's body that is not 200. */
export function codeIn(body: string): string {
  const code = /"code": ?"(\w+)"/u.exec(body)?.[1];
  return errorCodes.find((known) => known === code) ?? other;
}
