import { upstreamWord } from './upstream-word.ts';

/** Answers after which the same request may succeed: overload and failures of the server (AWS SDKs, "Retry behavior"). */
const transientStatuses = new Set([429, 500, 502, 503, 504]);

/** Some services throttle with other statuses, STS with 400. */
const throttlingCodes = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Whether an answer is one after which it is worth to send the request again. The same for every client. */
export function isTransient(statusCode: number, code: string | null): boolean {
  return transientStatuses.has(statusCode) || (code !== null && throttlingCodes.has(code));
}

/**
 * The service's own code in an answer that is an error: S3's and STS's XML, or the header of the JSON protocols. `null`
 * where there is none, or none that is a word.
 */
export function errorCodeOf(headers: Readonly<Record<string, string>>, text: string | null): string | null {
  // `ThrottlingException:http://internal.amazon.com/…`
  const fromHeader = headers['x-amzn-errortype']?.split(':', 1)[0];
  return upstreamWord(fromHeader ?? /<Code>([^<]*)<\/Code>/.exec(text ?? '')?.[1] ?? '');
}
