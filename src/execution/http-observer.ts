import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { redactUrl } from '../../otel/redaction.ts';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord, IntervalNs } from '../record/record.ts';

interface Observation {
  readonly clock: Clock;
  readonly traceparent: string | null;
  readonly exchanges: ObservedExchange[];
}

const observations = new AsyncLocalStorage<Observation>();

/**
 * Watches the HTTP exchanges that `act` makes through node:http, whichever client makes them: got and the AWS SDK
 * are seen by the same eyes, so their figures compare. Adds `traceparent` to each request; it is signed already by
 * then, so the header is not part of the signature.
 *
 * `act` gets a function that says what was seen so far.
 */
export function observeHttp<T>(
  clock: Clock,
  traceparent: string | null,
  act: (seen: () => readonly AttemptRecord[]) => T,
): T {
  const exchanges: ObservedExchange[] = [];
  return observations.run({ clock, traceparent, exchanges }, () =>
    act(() => exchanges.map((exchange) => exchange.record())),
  );
}

subscribe('http.client.request.created', (message) => {
  const observation = observations.getStore();
  if (observation === undefined) return;
  const request = requestIn(message);
  if (request === null) return;
  if (observation.traceparent !== null) request.setHeader('traceparent', observation.traceparent);
  // The emulator's draws go by it. Nothing is said of a first attempt.
  const attempt = observation.exchanges.length + 1;
  if (attempt > 1) request.setHeader('x-fanout-attempt', String(attempt));
  observation.exchanges.push(new ObservedExchange(request, observation.clock));
});

function requestIn(message: unknown): ClientRequest | null {
  const request =
    typeof message === 'object' && message !== null && 'request' in message ? message.request : null;
  return request instanceof ClientRequest ? request : null;
}

/** The instants of one exchange, taken from the events of its request, socket and answer. */
class ObservedExchange {
  readonly #request: ClientRequest;
  readonly #clock: Clock;
  readonly #startedAtNs: InstantNs;
  #socketAtNs: InstantNs | null = null;
  #lookedUpAtNs: InstantNs | null = null;
  #connectedAtNs: InstantNs | null = null;
  #securedAtNs: InstantNs | null = null;
  #sentAtNs: InstantNs | null = null;
  #answeredAtNs: InstantNs | null = null;
  #endedAtNs: InstantNs | null = null;
  #statusCode: number | null = null;
  #serverMs: number | null = null;

  constructor(request: ClientRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.#startedAtNs = clock();
    request.once('socket', (socket) => this.#watchSocket(socket));
    request.once('finish', () => (this.#sentAtNs = clock()));
    request.prependOnceListener('response', (response) => this.#watchAnswer(response));
    request.once('close', () => (this.#endedAtNs ??= clock()));
  }

  record(): AttemptRecord {
    const request = this.#request;
    const host = String(request.getHeader('host') ?? request.host);
    return {
      method: request.method,
      url: redactUrl(`${request.protocol}//${host}${request.path}`),
      startedAtNs: this.#startedAtNs,
      endedAtNs: this.#endedAtNs,
      statusCode: this.#statusCode,
      reusedSocket: request.reusedSocket,
      serverMs: this.#serverMs,
      phases: {
        dns: interval(this.#socketAtNs, this.#lookedUpAtNs),
        connect: interval(this.#lookedUpAtNs ?? this.#socketAtNs, this.#connectedAtNs),
        tls: interval(this.#connectedAtNs, this.#securedAtNs),
        ttfb: interval(this.#readyToAnswerAtNs(), this.#answeredAtNs),
        download: interval(this.#answeredAtNs, this.#endedAtNs),
      },
    };
  }

  /** `finish` may come before the connection stands, when the request waits in the socket's buffer. */
  #readyToAnswerAtNs(): InstantNs | null {
    const connected = this.#securedAtNs ?? this.#connectedAtNs ?? this.#socketAtNs;
    if (connected === null || this.#sentAtNs === null) return connected;
    return Math.max(connected, this.#sentAtNs);
  }

  #watchSocket(socket: Socket): void {
    this.#socketAtNs = this.#clock();
    if (!socket.connecting) return;
    socket.once('lookup', () => (this.#lookedUpAtNs = this.#clock()));
    socket.once('connect', () => (this.#connectedAtNs = this.#clock()));
    socket.once('secureConnect', () => (this.#securedAtNs = this.#clock()));
  }

  #watchAnswer(response: IncomingMessage): void {
    this.#answeredAtNs = this.#clock();
    this.#statusCode = response.statusCode ?? null;
    this.#serverMs = serverTimingMs(response.headers['server-timing']);
    response.once('end', () => (this.#endedAtNs = this.#clock()));
  }
}

function interval(fromNs: InstantNs | null, toNs: InstantNs | null): IntervalNs | null {
  return fromNs === null || toNs === null || toNs < fromNs ? null : { fromNs, toNs };
}

/** The longest `dur` of a Server-Timing header (W3C Server Timing), in milliseconds. */
function serverTimingMs(header: string | string[] | undefined): number | null {
  const durations = [...String(header ?? '').matchAll(/;\s*dur\s*=\s*"?(\d+(?:\.\d+)?)/g)].map(([, digits]) =>
    Number(digits),
  );
  return durations.length === 0 ? null : Math.max(...durations);
}
