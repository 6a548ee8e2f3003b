import type { TaskError } from '../record/record.ts';
import { isTransient } from './transient.ts';
import { transportError } from './transport-error.ts';
import { upstreamWord } from './upstream-word.ts';

/** A call of the SDK that failed, as a task's result. */
export interface SdkFailure {
  readonly state: 'failed';
  readonly error: TaskError;
  readonly retryable: boolean;
}

/**
 * What a client of the SDK threw, as a task's result: `upstream_error` with the service's own code where it answered,
 * `connection_failed` or `body_truncated` where the exchange broke off, `wrong_result` where the answer can't be read.
 *
 * @param asked what was asked for, for people: `S3 … for photos/1.jpg`
 * @param answerBegan whether the answer had begun, as far as the caller knows
 */
export function sdkFailure(
  thrown: unknown,
  { service, asked, answerBegan }: { service: string; asked: string; answerBegan: boolean },
): SdkFailure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const status = statusOf(error);
  if ('$fault' in error) {
    const upstreamCode = upstreamWord(error.name) ?? String(status ?? 'unknown');
    const message = `${service} answered ${status ?? 'in its stream with'} ${upstreamCode} for ${asked}`;
    return {
      state: 'failed',
      error: { code: 'upstream_error', message, upstreamCode },
      retryable: isTransient(status ?? 0, upstreamCode),
    };
  }
  // The SDK reads most bodies before it hands anything back: an error with a status comes from within one.
  const inBody = answerBegan || status !== null;
  if ('code' in error) return transportError(error, inBody);
  const unreadable = inBody || error instanceof SyntaxError;
  return {
    state: 'failed',
    retryable: false,
    error: unreadable
      ? // V8's own words would quote the answer, which must not get into spans.
        { code: 'wrong_result', message: "the answer can't be read", upstreamCode: null }
      : // Nothing was sent: no credentials, say.
        {
          code: 'upstream_error',
          message: `the SDK could not send: ${error.message}`,
          upstreamCode: error.name,
        },
  };
}

function statusOf(error: Error): number | null {
  const metadata: unknown = '$metadata' in error ? error.$metadata : null;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : null;
  return typeof status === 'number' ? status : null;
}
