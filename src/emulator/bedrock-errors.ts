import { randomUUID } from 'node:crypto';
import { inWords, type Problem, type Words } from './problems.ts';
import type { EmulatedAnswer } from './service.ts';

/** A problem as Bedrock tells it. */
export function inItsWords(problem: Problem): EmulatedAnswer {
  return error(...inWords(words, problem));
}

export function invalid(message: string): EmulatedAnswer {
  return error(400, 'ValidationException', message);
}

export function requestIdHeader(): Readonly<Record<string, string>> {
  return { 'x-amzn-requestid': randomUUID() };
}

const invalidToken = 'The security token included in the request is invalid.';
const expired = 'Signature expired or not yet current';

const words: Words = {
  AccessDenied: [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  AuthorizationHeaderMalformed: [400, 'IncompleteSignatureException'],
  AuthorizationQueryParametersError: [400, 'IncompleteSignatureException'],
  EntityTooLarge: [413, 'RequestEntityTooLargeException'],
  HeadersNotSigned: [403, 'InvalidSignatureException'],
  InternalError: [500, 'InternalServerException', 'An internal server error occurred. Retry your request.'],
  InvalidAccessKeyId: [403, 'UnrecognizedClientException', invalidToken],
  InvalidRequest: [400, 'ValidationException'],
  NotImplemented: [404, 'UnknownOperationException'],
  RequestExpired: [403, 'InvalidSignatureException', expired],
  RequestTimeTooSkewed: [403, 'InvalidSignatureException', expired],
  ServiceUnavailable: [
    503,
    'ServiceUnavailableException',
    "The service isn't currently available. Try again later.",
  ],
  SignatureDoesNotMatch: [403, 'InvalidSignatureException'],
  SlowDown: [429, 'ThrottlingException', 'Too many requests, please wait before trying again.'],
  XAmzContentSHA256Mismatch: [403, 'InvalidSignatureException'],
};

/** Of the form that AWS's JSON protocol has. */
function error(status: number, code: string, message: string): EmulatedAnswer {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code, ...requestIdHeader() };
  return { status, headers, body: new TextEncoder().encode(JSON.stringify({ message })), readyMs: null };
}
