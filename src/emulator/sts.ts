import { randomUUID } from 'node:crypto';
import { semantic } from '../../otel/names.ts';
import { emulatorAccountId } from './credentials.ts';
import { commonFaults } from './faults.ts';
import { inWords, type Words } from './problems.ts';
import type { EmulatedAnswer, EmulatedRequest, EmulatedService } from './service.ts';
import { element, xmlDocument } from './xml.ts';

/** STS, query protocol: GetCallerIdentity, as a POST or as a presigned GET. */
export function emulateSts(): EmulatedService {
  return {
    signingName: 'sts',
    faults: commonFaults,
    takes: ({ method, path, query }) =>
      path === '/' && (method === 'POST' || (method === 'GET' && query.has('Action'))),
    identify(request) {
      const action = parametersOf(request).get('Action') ?? '';
      const asked = action === operation ? operation : 'UnknownAction';
      return {
        operation: asked,
        family: operation,
        key: operation,
        attributes: { [semantic.rpcMethod]: `STS/${asked}` },
        answer: () => (action === operation ? callerIdentity() : unknownAction(action)),
      };
    },
    refuse: (problem) => error(...inWords(words, problem)),
  };
}

const operation = 'GetCallerIdentity';
const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Of a form in the body, or else of the query. */
function parametersOf({ method, query, body }: EmulatedRequest): URLSearchParams {
  return method === 'GET' || query.has('Action')
    ? query
    : new URLSearchParams(new TextDecoder().decode(body));
}

function callerIdentity(): EmulatedAnswer {
  const result = element('GetCallerIdentityResult', [
    element('Arn', `arn:aws:iam::${emulatorAccountId}:user/fanout-bench`),
    element('UserId', 'AIDAFANOUTBENCHEMULATO'),
    element('Account', emulatorAccountId),
  ]);
  const requestId = randomUUID();
  const metadata = element('ResponseMetadata', [element('RequestId', requestId)]);
  return xml(200, element('GetCallerIdentityResponse', [result, metadata], namespace), requestId);
}

function unknownAction(action: string): EmulatedAnswer {
  return action === ''
    ? error(400, 'MissingAction', 'The request is missing an Action parameter')
    : error(400, 'InvalidAction', `Could not find operation ${action} for version 2011-06-15`);
}

const words: Words = {
  AccessDenied: [403, 'MissingAuthenticationToken', 'Request is missing Authentication Token'],
  AuthorizationHeaderMalformed: [400, 'IncompleteSignature'],
  AuthorizationQueryParametersError: [400, 'IncompleteSignature'],
  HeadersNotSigned: [403, 'SignatureDoesNotMatch'],
  EntityTooLarge: [413, 'RequestEntityTooLarge'],
  InternalError: [500, 'InternalFailure', 'The request processing has failed because of an unknown error.'],
  InvalidAccessKeyId: [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.'],
  InvalidRequest: [400, 'ValidationError'],
  NotImplemented: [400, 'InvalidAction'],
  RequestExpired: [403, 'SignatureDoesNotMatch', 'Signature expired or not yet current'],
  RequestTimeTooSkewed: [403, 'SignatureDoesNotMatch', 'Signature expired or not yet current'],
  ServiceUnavailable: [
    503,
    'ServiceUnavailable',
    'The request has failed due to a temporary failure of the server.',
  ],
  SignatureDoesNotMatch: [403, 'SignatureDoesNotMatch'],
  SlowDown: [400, 'Throttling', 'Rate exceeded'],
  XAmzContentSHA256Mismatch: [403, 'SignatureDoesNotMatch'],
};

function error(status: number, code: string, message: string): EmulatedAnswer {
  const requestId = randomUUID();
  const parts = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  const elements = Object.entries(parts).map(([name, text]) => element(name, text));
  const root = element(
    'ErrorResponse',
    [element('Error', elements), element('RequestId', requestId)],
    namespace,
  );
  return xml(status, root, requestId);
}

function xml(status: number, root: string, requestId: string): EmulatedAnswer {
  const headers = { 'content-type': 'text/xml', 'x-amzn-requestid': requestId };
  return { status, headers, body: xmlDocument(root), readyMs: null };
}
