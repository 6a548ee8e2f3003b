import type { TaskError } from '../record/record.ts';

/**
 * An exchange that broke off, as a task's error: `body_truncated` when the answer had begun, else
 * `connection_failed` with the system's code (`ECONNREFUSED`). For a body that broke off each client has a code of
 * its own, which says nothing of the upstream: so there is none.
 */
export function transportError(
  cause: Error,
  answerBegan: boolean,
): { readonly state: 'failed'; readonly error: TaskError; readonly retryable: boolean } {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  return {
    state: 'failed',
    retryable: true,
    error: {
      code: answerBegan ? 'body_truncated' : 'connection_failed',
      message: answerBegan ? `the body broke off: ${cause.message}` : cause.message,
      upstreamCode: answerBegan ? null : code,
    },
  };
}
