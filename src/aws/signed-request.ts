import { buildQueryString, HttpRequest } from '@smithy/core/protocols';
import type { Client, Command, MetadataBearer, MiddlewareStack } from '@smithy/types';
import { moveFormToQuery, presignInsteadOfSign } from './signed-query.ts';

/**
 * A request that any HTTP client can send. What authorises it is already in its URL or headers; it holds no key.
 *
 * It is plain data, and survives structured cloning as it is. It survives JSON, and so our own runners' messages,
 * only while its body is a string or `null`: workloads decode a body of bytes, which for JSON and forms are the same
 * bytes again when sent.
 */
export interface PlainRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Already in the form that URL parsers give it, so that no client changes what was signed. */
  readonly url: string;
  /** What the client does not set itself: neither `host` nor `content-length`. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | string | null;
}

/** Where the signature goes. */
export type SigningOptions =
  | {
      /** The default: into the headers, good for 5 minutes (15 at S3), with every service. */
      readonly sign?: 'header';
    }
  | {
      /**
       * Into the URL, good for as long as it says, with the services that take it: S3 and STS do. EC2's and other
       * services of the Query protocol mostly do. Those that speak JSON, such as Bedrock Runtime and DynamoDB, are not
       * documented to: use the header there.
       */
      readonly sign: 'query';
      /** From 1 second to 7 days; 900 unless given. Temporary credentials end it earlier when they expire. */
      readonly expiresInSeconds?: number;
    };

/**
 * The request that `client.send(command)` would send first, signed but not sent: serialised, addressed and signed by
 * the SDK itself, with the client's own configuration and middleware.
 *
 * Client and command stay as they were, and can be used again. It opens no socket; what the client itself needs
 * beforehand it gets as ever: credentials from their provider, a session of an S3 Express bucket, a discovered
 * endpoint. The SDK's retries are left out, and the headers by which it counts them.
 *
 * Signed in the query, the headers that remain must be sent too. S3 does not sign the body then, nor
 * `content-type`, as with `@aws-sdk/s3-request-presigner`. A form, such as every STS command, becomes a GET with its
 * fields in the URL, as the presigners of AWS's other SDKs have it.
 *
 * @throws RangeError for an `expiresInSeconds` out of range
 * @throws TypeError when there can be no such request: the body is a stream; the client signs with something else
 *   than Signature Version 4 and the query is asked for; an object key has a segment `.` or `..`, which URL parsers
 *   resolve
 * @throws whatever the SDK throws before it would send: for input that is not valid, without a region, endpoint or
 *   credentials
 */
export async function toSignedRequest<
  ClientInput extends object,
  Input extends ClientInput,
  Output extends MetadataBearer,
  Config,
>(
  client: Pick<Client<ClientInput, MetadataBearer, Config>, 'config' | 'middlewareStack'>,
  command: Command<ClientInput, Input, MetadataBearer, Output, Config>,
  options: SigningOptions = {},
): Promise<PlainRequest> {
  const expiresIn = options.sign === 'query' ? checkedExpiry(options.expiresInSeconds ?? 900) : null;
  const stack = client.middlewareStack.clone();
  takeTheRetriesPlace(stack, expiresIn);
  let signed: unknown;
  stack.add(
    () =>
      async ({ request }) => {
        signed = request;
        return { response: null, output: { $metadata: {} } };
      },
    { name: 'fanoutBenchAnswer', step: 'finalizeRequest', priority: 'low' },
  );
  // Resolving adds to the command's own stack, and serialising sets defaults in the input.
  const copy: typeof command = Object.create(command, {
    middlewareStack: { value: command.middlewareStack.clone() },
  });
  await copy.resolveMiddleware(stack, client.config, {})({ input: { ...command.input } });
  return toPlainRequest(signed);
}

const week = 7 * 24 * 3600;

function checkedExpiry(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= week) return seconds;
  throw new RangeError(`expiresInSeconds must be an integer from 1 to ${week}, not ${seconds}`);
}

/**
 * Puts in the retries' place, before the signing, what makes the request one that a plain client can send. Signing is
 * placed relative to the retries by their name, so the name stays.
 */
function takeTheRetriesPlace<Input extends object>(
  stack: MiddlewareStack<Input, MetadataBearer>,
  expiresIn: number | null,
): void {
  stack.remove('retryMiddleware');
  stack.add(
    (next, context) => (args) => {
      if (!HttpRequest.isInstance(args.request)) throw new TypeError('The command makes no HTTP request');
      const request = HttpRequest.clone(args.request);
      // A client with an HTTP/2 handler would sign `:authority`, which HTTP/1.1 has not.
      delete request.headers[':authority'];
      request.headers['host'] = hostOf(request);
      if (expiresIn !== null) {
        moveFormToQuery(request);
        presignInsteadOfSign(context, request, expiresIn);
      }
      return next({ ...args, request });
    },
    { name: 'retryMiddleware', step: 'finalizeRequest', priority: 'high' },
  );
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What a client sets itself, or what is between it and the server alone. */
const clientsOwn = new Set(['host', 'content-length', 'expect']);

function toPlainRequest(signed: unknown): PlainRequest {
  if (!HttpRequest.isInstance(signed)) throw new TypeError('The command makes no HTTP request');
  const method = methods.find((one) => one === signed.method);
  if (method === undefined) throw new TypeError(`${signed.method} is not a method of a plain request`);
  const entries = Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const headers = Object.fromEntries(entries.filter(([name]) => !clientsOwn.has(name)));
  return { method, url: urlOf(signed), headers, body: bodyOf(signed.body) };
}

function urlOf(request: HttpRequest): string {
  const query = buildQueryString(request.query);
  const url = `${request.protocol}//${hostOf(request)}${request.path}${query === '' ? '' : `?${query}`}`;
  if (new URL(url).href === url) return url;
  throw new TypeError(
    `HTTP clients would not send the path ${request.path} as it was signed: URL parsers resolve the segments . and ..`,
  );
}

function hostOf({ hostname, port }: HttpRequest): string {
  return port === undefined ? hostname : `${hostname}:${port}`;
}

/** A copy of its own: the SDK's bytes lie in a pool with others', which cloning would take along. */
function bodyOf(body: unknown): PlainRequest['body'] {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  }
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice());
  throw new TypeError(
    'The body is a stream: give it as a string or as bytes, which can be signed and sent later',
  );
}
