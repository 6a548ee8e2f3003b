import { ALGORITHM_IDENTIFIER } from '@smithy/signature-v4';

/** A request as its signature sees it. */
export interface SignedParts {
  readonly method: string;
  /** As it came, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Why a request is refused: S3's HTTP status and message, and a code where S3 has but `AccessDenied` for several. */
export interface Refusal {
  readonly status: 400 | 403 | 501;
  readonly code:
    | 'AccessDenied'
    | 'AuthorizationHeaderMalformed'
    | 'AuthorizationQueryParametersError'
    | 'HeadersNotSigned'
    | 'InvalidAccessKeyId'
    | 'NotImplemented'
    | 'RequestExpired'
    | 'RequestTimeTooSkewed'
    | 'SignatureDoesNotMatch'
    | 'XAmzContentSHA256Mismatch';
  readonly message: string;
}

/** What a signature says of itself; nothing in it is verified yet, but all of it has its form. */
export interface Claim {
  readonly place: 'header' | 'query';
  readonly accessKeyId: string;
  /** The credential scope: `20260102`, region, service. */
  readonly shortDate: string;
  readonly region: string;
  readonly service: string;
  /** `20260102T030405Z` */
  readonly date: string;
  /** The same as Unix time. */
  readonly signedAtMs: number;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** As the client says; `null` when it does not. */
  readonly payloadHash: string | null;
  /** `null` for a signature in the header. */
  readonly expiresSeconds: number | null;
}

/** Reads the signature in a presigned query or in the Authorization header; without one, that is the refusal. */
export function readClaim({ query, headers }: SignedParts): Claim | Refusal {
  if (query.has('X-Amz-Signature')) return fromQuery(query);
  const authorization = headers['authorization'];
  if (authorization === undefined) return { status: 403, code: 'AccessDenied', message: 'Access Denied' };
  return fromHeader(authorization, headers);
}

/** The refusal of a signature that can't be read, or that is for another region or service. */
export function malformed(place: Claim['place'], why: string): Refusal {
  return place === 'header'
    ? {
        status: 400,
        code: 'AuthorizationHeaderMalformed',
        message: `The authorization header is malformed; ${why}`,
      }
    : { status: 400, code: 'AuthorizationQueryParametersError', message: `Error in the query; ${why}` };
}

/** Seven days, the longest that AWS lets a presigned URL live. */
const maxExpiresSeconds = 604_800;

function fromQuery(query: URLSearchParams): Claim | Refusal {
  const expires = query.get('X-Amz-Expires') ?? '';
  if (query.get('X-Amz-Algorithm') !== ALGORITHM_IDENTIFIER) {
    return malformed('query', `X-Amz-Algorithm must be ${ALGORITHM_IDENTIFIER}`);
  }
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > maxExpiresSeconds) {
    return malformed('query', `X-Amz-Expires must be 0 to ${maxExpiresSeconds} seconds`);
  }
  return claimOf({
    place: 'query',
    credential: query.get('X-Amz-Credential') ?? '',
    date: query.get('X-Amz-Date') ?? '',
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    payloadHash: query.get('X-Amz-Content-Sha256'),
    expiresSeconds: Number(expires),
  });
}

const authorizationForm =
  /^AWS4-HMAC-SHA256 +Credential=(?<credential>[^, ]+), *SignedHeaders=(?<signedHeaders>[^, ]+), *Signature=(?<signature>[0-9a-f]+)$/;

function fromHeader(authorization: string, headers: SignedParts['headers']): Claim | Refusal {
  const parts = authorizationForm.exec(authorization)?.groups;
  if (parts === undefined) return malformed('header', 'it is not of the form that AWS4-HMAC-SHA256 has');
  return claimOf({
    place: 'header',
    credential: parts['credential'] ?? '',
    date: headers['x-amz-date'] ?? '',
    signedHeaders: parts['signedHeaders'] ?? '',
    signature: parts['signature'] ?? '',
    payloadHash: headers['x-amz-content-sha256'] ?? null,
    expiresSeconds: null,
  });
}

interface Written extends Pick<Claim, 'place' | 'date' | 'signature' | 'payloadHash' | 'expiresSeconds'> {
  readonly credential: string;
  readonly signedHeaders: string;
}

function claimOf({ credential, signedHeaders, ...rest }: Written): Claim | Refusal {
  const [accessKeyId = '', shortDate = '', region = '', service = '', end] = credential.split('/');
  if (end !== 'aws4_request') {
    return malformed(rest.place, 'the credential must be KEY/DATE/REGION/SERVICE/aws4_request');
  }
  const signedAtMs = parseDate(rest.date);
  if (Number.isNaN(signedAtMs) || shortDate !== rest.date.slice(0, 8)) {
    return malformed(rest.place, 'the date must be like 20260102T030405Z, and that of the credential');
  }
  return {
    ...rest,
    accessKeyId,
    shortDate,
    region,
    service,
    signedAtMs,
    signedHeaders: signedHeaders.split(';'),
  };
}

/** Unix time in milliseconds of `20260102T030405Z`; `NaN` for anything else. */
function parseDate(compact: string): number {
  return Date.parse(compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
