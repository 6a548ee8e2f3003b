import { createHash, timingSafeEqual } from 'node:crypto';
import cors from 'cors';
import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { BenchError } from '../errors.ts';
import { isLoopback } from '../loopback.ts';
import { describeAnswer } from './answer-headers.ts';

/** Longer than any URL of this service; Node's own limit is on all headers together. */
const maxUrlCharacters = 8_192;

/** Refuses overlong URLs. */
export const urlGuard: RequestHandler = ({ url }, _, next) => {
  if (url.length <= maxUrlCharacters) return next();
  const reason = `has ${url.length} characters`;
  const problem = { field: 'url', value: url, reason, allowed: `at most ${maxUrlCharacters} characters` };
  throw new BenchError('bad_request', `The URL ${reason}; at most ${maxUrlCharacters} are read.`, {
    problems: [problem],
  });
};

/** Refuses bodies unread: no request has one here. Whatever it is answered, its connection ends with the answer. */
export const bodyGuard: RequestHandler = ({ method, headers }, response, next) => {
  const length = headers['content-length'] ?? '0';
  if (headers['transfer-encoding'] === undefined && /^0*$/.test(length)) return next();
  response.set('Connection', 'close');
  // Other methods are refused for what they are.
  if (method !== 'GET') return next();
  const problem = { field: 'body', value: null, reason: 'is not read', allowed: 'no body' };
  throw new BenchError('bad_request', 'A request has no body here.', { problems: [problem] });
};

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A GET starts a run, which costs time and may cost money: so a page that a browser shows must not be able to make
 * it, neither by a name that resolves to this machine nor from another site, unless its origin is allowed.
 */
export function originGuard(allowedHosts: readonly string[], corsOrigins: readonly string[]): RequestHandler {
  const named = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const allowed = [...loopbackHosts, ...named];
  return ({ headers }, _, next) => {
    const host = headers.host ?? '';
    const name = host.replace(/:\d+$/, '').toLowerCase();
    if (!isLoopback(name) && !named.has(name) && !named.has(host.toLowerCase())) {
      const problem = {
        field: 'Host',
        value: host,
        reason: 'is neither loopback nor allowed',
        allowed,
      };
      const fix = 'Set ALLOWED_HOSTS to serve it under that name.';
      throw new BenchError('forbidden', `The host "${host}" is not served. ${fix}`, { problems: [problem] });
    }
    const { origin = null, 'sec-fetch-site': site } = headers;
    if (origin !== null && corsOrigins.includes(origin)) return next();
    if (site === 'cross-site') {
      const sites = ['same-origin', 'same-site', 'none'];
      const problem = {
        field: 'Sec-Fetch-Site',
        value: site,
        reason: 'comes from another site',
        allowed: sites,
      };
      throw new BenchError('forbidden', 'Requests from pages of other sites are not served.', {
        problems: [problem],
      });
    }
    if (origin !== null && !isSameSite(origin, name)) {
      const problem = {
        field: 'Origin',
        value: origin,
        reason: 'is of another site',
        allowed: [name, ...corsOrigins],
      };
      const fix = 'Set CORS_ORIGINS to serve pages of that origin.';
      throw new BenchError('forbidden', `Requests from pages of ${origin} are not served. ${fix}`, {
        problems: [problem],
      });
    }
    next();
  };
}

/**
 * Whether a page of this origin is of the same host, or of this machine as the service is. Browsers send `Sec-Fetch-Site` to
 * HTTPS and localhost alone; `Origin` comes with whatever a page could read the answer of.
 */
function isSameSite(origin: string, servedAs: string): boolean {
  const host = URL.parse(origin)?.hostname;
  return host !== undefined && (host === servedAs || (isLoopback(host) && isLoopback(servedAs)));
}

/** Lets pages of these origins read answers and send a token (CORS); without one, no page of another origin can. */
export function corsGuard(origins: readonly string[]): RequestHandler {
  if (origins.length === 0) return (_request, _response, next) => next();
  const guard = cors({
    origin: [...origins],
    methods: 'GET',
    allowedHeaders: ['Authorization', 'traceparent', 'tracestate'],
    exposedHeaders: ['traceresponse', 'Server-Timing', 'Retry-After'],
  });
  return (request, response, next) => {
    // It answers them by itself.
    if (request.method === 'OPTIONS') describeAnswer(response);
    guard(request, response, next);
  };
}

/**
 * Lets a client make so many requests a minute. It is told by the address that its connection comes from, whatever it
 * says of proxies: all that come by one proxy are one client.
 */
export function rateGuard(perMinute: number | null): RequestHandler {
  if (perMinute === null) return (_request, _response, next) => next();
  return rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Else the library prints, past the log, that such headers are not believed.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: () => {
      throw new BenchError('too_many_requests', `A client may make ${perMinute} requests a minute.`);
    },
  });
}

/** Asks for the bearer token, where there is one; compares in constant time. */
export function tokenGuard(token: string | null): RequestHandler {
  if (token === null) return (_request, _response, next) => next();
  const expected = digest(token);
  return ({ headers }, _, next) => {
    const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next();
    throw new BenchError(
      'unauthorized',
      'Send the header "Authorization: Bearer …" with the token of BENCH_TOKEN.',
    );
  };
}

/** Same length whatever the token, so that the comparison tells nothing. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
