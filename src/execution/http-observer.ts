import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord } from '../record/record.ts';
import { addedHeaders, attemptOf, currentObservation, serverTimingMs } from './observation.ts';

let watching = false;

/** Watches what got and the AWS SDK send through node:http, from now on. */
export function watchNodeHttp(): void {
  if (watching) return;
  watching = true;
  subscribe('http.client.request.created', (message) => {
    const observation = currentObservation();
    const request = requestIn(message);
    if (observation === null || request === null) return;
    for (const [name, value] of Object.entries(addedHeaders(observation))) request.setHeader(name, value);
    observation.exchanges.push(new ObservedExchange(request, observation.clock));
  });
}

function requestIn(message: unknown): ClientRequest | null {
  const request =
    typeof message === 'object' && message !== null && 'request' in message ? message.request : null;
  return isClientRequest(request) ? request : null;
}

/** By its form: to name the class would load node:http, which a cold worker that sends nothing does without. */
function isClientRequest(value: unknown): value is ClientRequest {
  return typeof value === 'object' && value !== null && 'setHeader' in value && 'reusedSocket' in value;
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
  #complete = false;
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
    return attemptOf({
      method: request.method,
      url: `${request.protocol}//${host}${request.path}`,
      startedAtNs: this.#startedAtNs,
      endedAtNs: this.#endedAtNs,
      statusCode: this.#statusCode,
      complete: this.#complete,
      reusedSocket: request.reusedSocket,
      serverMs: this.#serverMs,
      connectingAtNs: this.#socketAtNs,
      lookedUpAtNs: this.#lookedUpAtNs,
      connectedAtNs: this.#connectedAtNs,
      securedAtNs: this.#securedAtNs,
      sentAtNs: this.#readyToAnswerAtNs(),
      answeredAtNs: this.#answeredAtNs,
    });
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
    response.once('end', () => {
      this.#endedAtNs = this.#clock();
      this.#complete = true;
    });
  }
}
