import {
  SMITHY_CONTEXT_KEY,
  type HandlerExecutionContext,
  type HttpRequest,
  type RequestPresigner,
  type RequestPresigningArguments,
  type RequestSigner,
  type RequestSigningArguments,
} from '@smithy/types';

/** Makes a POST of form fields, as the Query protocol has it, a GET that its URL says whole. */
export function moveFormToQuery(request: HttpRequest): void {
  const { headers, body } = request;
  const isForm = headers['content-type'] === 'application/x-www-form-urlencoded';
  if (request.method !== 'POST' || !isForm || typeof body !== 'string') return;
  request.method = 'GET';
  request.query = { ...request.query, ...Object.fromEntries(new URLSearchParams(body)) };
  request.body = undefined;
  delete headers['content-type'];
  delete headers['content-length'];
}

/**
 * Lets the client's own signer presign where it is asked to sign. Which signer, region, service and time these are is
 * left to the SDK: only the signer that it finds in the client's configuration is another.
 *
 * @throws TypeError when the client does not sign with Signature Version 4
 */
export function presignInsteadOfSign(
  context: HandlerExecutionContext,
  request: HttpRequest,
  expiresIn: number,
): void {
  // Not for the service: they would only stand in the URL, or be needed beside it.
  delete request.headers['x-amz-user-agent'];
  delete request.headers['user-agent'];
  const smithy = context[SMITHY_CONTEXT_KEY];
  const scheme = smithy?.selectedHttpAuthScheme;
  const { schemeId = 'nothing', signingProperties = {} } = scheme?.httpAuthOption ?? {};
  const config = signingProperties['config'];
  if (smithy === undefined || scheme === undefined || !hasSigner(config)) {
    throw new TypeError(`The client signs with ${schemeId}, which has no form for the query`);
  }
  const session: unknown = context['s3ExpressIdentity'];
  // Else the session would sign in the header.
  delete context['s3ExpressIdentity'];
  const signer = async (authScheme: unknown): Promise<RequestSigner> => {
    const own = await config.signer(authScheme);
    return { sign: (toSign, options = {}) => presign(own, toSign, options, expiresIn, session) };
  };
  smithy.selectedHttpAuthScheme = {
    ...scheme,
    httpAuthOption: {
      ...scheme.httpAuthOption,
      signingProperties: { ...signingProperties, config: { ...config, signer } },
    },
  };
}

async function presign(
  signer: unknown,
  request: HttpRequest,
  options: RequestSigningArguments,
  expiresIn: number,
  session: unknown,
): Promise<HttpRequest> {
  const isS3 = options.signingService?.startsWith('s3') === true;
  const names = Object.keys(request.headers).map((name) => name.toLowerCase());
  const args = {
    ...options,
    expiresIn,
    ...(isS3
      ? {
          unsignableHeaders: new Set(['content-type']),
          unhoistableHeaders: new Set(
            names.filter((name) => name.startsWith('x-amz-server-side-encryption')),
          ),
        }
      : // S3 alone reads headers of its own from the query.
        { unhoistableHeaders: new Set(names) }),
  };
  if (isS3) request.headers['X-Amz-Content-Sha256'] = 'UNSIGNED-PAYLOAD';
  if (session !== undefined) {
    if (presignsSessions(signer)) return signer.presignWithCredentials(request, session, args);
  } else if (presigns(signer)) return signer.presign(request, args);
  throw new TypeError("The client's signer has no form for the query");
}

interface SessionPresigner {
  presignWithCredentials(
    request: HttpRequest,
    session: unknown,
    options: RequestPresigningArguments,
  ): Promise<HttpRequest>;
}

function hasSigner(config: unknown): config is { signer(authScheme: unknown): Promise<unknown> } {
  return hasMethod(config, 'signer');
}

function presigns(signer: unknown): signer is RequestPresigner {
  return hasMethod(signer, 'presign');
}

function presignsSessions(signer: unknown): signer is SessionPresigner {
  return hasMethod(signer, 'presignWithCredentials');
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
}
