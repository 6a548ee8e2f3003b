import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord } from '../record/record.ts';
import { addedHeaders, attemptOf, currentObservation, serverTimingMs } from './observation.ts';

/** When a connection was made. */
interface Connection {
  readonly connectingAtNs: InstantNs | null;
  lookedUpAtNs: InstantNs | null;
  connectedAtNs: InstantNs | null;
  securedAtNs: InstantNs | null;
}

/** Of an exchange that did not make its connection. */
const notMade: Connection = {
  connectingAtNs: null,
  lookedUpAtNs: null,
  connectedAtNs: null,
  securedAtNs: null,
};

/** Of sockets that no request has gone over yet. */
const fresh = new WeakMap<object, Connection>();
const exchanges = new WeakMap<object, UndiciExchange>();

/** A connector that notes what its connections took, for the first exchange over each. */
export function observedConnector(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    const clock = currentObservation()?.clock;
    if (clock === undefined) return connect(options, callback);
    const connection: Connection = { ...notMade, connectingAtNs: clock() };
    // It returns the socket that it makes, though its types do not say so.
    const made: unknown = connect(options, callback);
    if (isSocket(made)) watch(made, connection, clock);
  };
}

function watch(socket: Socket, connection: Connection, clock: Clock): void {
  fresh.set(socket, connection);
  socket.prependOnceListener('lookup', () => (connection.lookedUpAtNs = clock()));
  socket.prependOnceListener('connect', () => (connection.connectedAtNs = clock()));
  socket.prependOnceListener('secureConnect', () => (connection.securedAtNs = clock()));
}

/** What undici's channels tell of a request (its documentation, "Diagnostics Channel Support"). */
interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  addHeader(name: string, value: string): void;
}

// Told in the caller's context, and the only one that is: the others are known by the request.
subscribe('undici:request:create', (message) => {
  const observation = currentObservation();
  const request = requestIn(message);
  if (observation === null || request === null) return;
  for (const [name, value] of Object.entries(addedHeaders(observation))) request.addHeader(name, value);
  const exchange = new UndiciExchange(request, observation.clock);
  observation.exchanges.push(exchange);
  exchanges.set(request, exchange);
});
subscribe('undici:client:sendHeaders', (message) => {
  const socket = field(message, 'socket');
  exchangeIn(message)?.sent(isSocket(socket) ? socket : null);
});
subscribe('undici:request:bodySent', (message) => exchangeIn(message)?.bodySent());
subscribe('undici:request:headers', (message) => exchangeIn(message)?.answered(field(message, 'response')));
subscribe('undici:request:trailers', (message) => exchangeIn(message)?.completed());
subscribe('undici:request:error', (message) => exchangeIn(message)?.ended());

/** The instants of one exchange, as undici tells them. */
class UndiciExchange {
  readonly #request: UndiciRequest;
  readonly #clock: Clock;
  readonly #startedAtNs: InstantNs;
  #connection: Connection | null = null;
  #reusedSocket = false;
  #sentAtNs: InstantNs | null = null;
  #answeredAtNs: InstantNs | null = null;
  #endedAtNs: InstantNs | null = null;
  #statusCode: number | null = null;
  #complete = false;
  #serverMs: number | null = null;

  constructor(request: UndiciRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.#startedAtNs = clock();
  }

  sent(socket: Socket | null): void {
    this.#sentAtNs = this.#clock();
    if (socket === null) return;
    this.#connection = fresh.get(socket) ?? null;
    this.#reusedSocket = this.#connection === null;
    fresh.delete(socket);
  }

  bodySent(): void {
    this.#sentAtNs = this.#clock();
  }

  answered(response: unknown): void {
    this.#answeredAtNs ??= this.#clock();
    const statusCode = field(response, 'statusCode');
    this.#statusCode = typeof statusCode === 'number' ? statusCode : null;
    this.#serverMs = serverTimingMs(headerIn(field(response, 'headers'), 'server-timing'));
  }

  completed(): void {
    this.#complete = true;
    this.ended();
  }

  ended(): void {
    this.#endedAtNs ??= this.#clock();
  }

  record(): AttemptRecord {
    const { origin, path, method } = this.#request;
    return attemptOf({
      method,
      url: `${String(origin).replace(/\/$/, '')}${path}`,
      startedAtNs: this.#startedAtNs,
      endedAtNs: this.#endedAtNs,
      statusCode: this.#statusCode,
      complete: this.#complete,
      reusedSocket: this.#reusedSocket,
      serverMs: this.#serverMs,
      ...(this.#connection ?? notMade),
      sentAtNs: this.#sentAtNs,
      answeredAtNs: this.#answeredAtNs,
    });
  }
}

/** Headers as undici tells them: names and values in turn, as bytes. */
function headerIn(headers: unknown, name: string): string | undefined {
  if (!Array.isArray(headers)) return undefined;
  const words = headers.map(String);
  const index = words.findIndex((word, position) => position % 2 === 0 && word.toLowerCase() === name);
  return index < 0 ? undefined : words[index + 1];
}

function exchangeIn(message: unknown): UndiciExchange | undefined {
  const request = field(message, 'request');
  return typeof request === 'object' && request !== null ? exchanges.get(request) : undefined;
}

function requestIn(message: unknown): UndiciRequest | null {
  const request = field(message, 'request');
  return isUndiciRequest(request) ? request : null;
}

function isUndiciRequest(value: unknown): value is UndiciRequest {
  return typeof field(value, 'addHeader') === 'function' && typeof field(value, 'path') === 'string';
}

function isSocket(value: unknown): value is Socket {
  return typeof field(value, 'prependOnceListener') === 'function';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
