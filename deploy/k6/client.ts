import { check, fail } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { settings } from './settings.ts';
import { newSeed, nextRequest, noteDuration } from './traces.ts';

/** What `setup` hands to every virtual user and to the summary. */
export interface SetUp {
  readonly seed: string;
}

/** Answers to runs, by what they are. Requests of `setup` and for `/healthz` count nowhere here. */
export const answered200 = new Counter('answered_200');
const answered503 = new Counter('answered_503');
const answeredOtherwise = new Counter('answered_otherwise');
/** Refused, reset, timed out: no status came back. */
const unanswered = new Counter('unanswered');
/** Of these, the ones that found nobody listening. */
const unansweredRefused = new Counter('unanswered_refused');
/** Whether an answer is one that the test takes. */
const accepted = new Rate('accepted');
/** From the request's first byte to the answer's last. */
const answerMs = new Trend('answer_ms', true);
/** What the service says that the run itself took. */
const runMs = new Trend('run_ms', true);
const healthy = new Rate('healthy');
const healthMs = new Trend('health_ms', true);

/** k6's own code of a TCP connection that was refused (Error codes, 1212). */
const connectionRefused = 1212;
const toldFailures = 3;
let failures = 0;

/** Checks that the service is ready, and makes what the test shares. Fails the test where it is not. */
export function setup(): SetUp {
  const { status, body } = http.get(`${settings.baseUrl}/readyz`, { headers: authorization() });
  if (status !== 200) fail(`${settings.baseUrl} is not ready: ${status} ${textOf(body)}`);
  return { seed: newSeed() };
}

/**
 * Asks for one run, in a trace of its own.
 * @param busyIsAccepted whether 503 `busy`, what a service says that has too much to do, is an answer that the test takes
 */
export function ask(
  path: string,
  { seed }: SetUp,
  { busyIsAccepted = false, tags = {} }: { busyIsAccepted?: boolean; tags?: Record<string, string> } = {},
): void {
  const request = nextRequest(seed);
  const response = http.get(settings.baseUrl + path, {
    headers: { ...authorization(), traceparent: request.traceparent },
    // A name of its own would be kept for each URL.
    tags: { name: path.split('?', 1)[0] ?? '', ...tags },
    responseCallback: busyIsAccepted ? http.expectedStatuses(200, 503) : http.expectedStatuses(200),
    timeout: '60s',
  });
  const { status, timings } = response;
  counterOf(status).add(1, tags);
  if (response.error_code === connectionRefused) unansweredRefused.add(1, tags);
  const isBusy = status === 503 && response.json('code') === 'busy';
  const isAccepted = check(
    response,
    {
      'is 200, or 503 busy with Retry-After where that is accepted': () =>
        status === 200 || (busyIsAccepted && isBusy && Number(response.headers['Retry-After']) > 0),
    },
    tags,
  );
  accepted.add(isAccepted, tags);
  if (status !== 0) {
    answerMs.add(timings.duration, tags);
    noteDuration(request, timings.duration);
  }
  if (status === 200) {
    const run = /\brun;dur=([\d.]+)/u.exec(response.headers['Server-Timing'] ?? '')?.[1];
    runMs.add(Number(run), tags);
  }
  if (!isAccepted)
    tellFailure(`${path}: ${status === 0 ? response.error : `${status} ${codeOf(response.body)}`}`);
}

/** Asks whether the service is alive. */
export function askHealth(): void {
  const { status, timings } = http.get(`${settings.baseUrl}/healthz`, {
    tags: { name: '/healthz' },
    timeout: '10s',
  });
  healthy.add(status === 200);
  healthMs.add(timings.duration);
}

export function authorization(): Record<string, string> {
  return settings.token === '' ? {} : { Authorization: `Bearer ${settings.token}` };
}

function counterOf(status: number): Counter {
  if (status === 0) return unanswered;
  if (status === 200) return answered200;
  return status === 503 ? answered503 : answeredOtherwise;
}

/** The first ones of each virtual user: thousands would say no more. */
function tellFailure(text: string): void {
  failures += 1;
  if (failures <= toldFailures) console.error(text);
}

function codeOf(body: Body): string {
  return /"code": "(\w+)"/u.exec(textOf(body))?.[1] ?? '';
}

/** `null`: there was no answer. */
type Body = string | ArrayBuffer | null;

export function textOf(body: Body): string {
  return typeof body === 'string' ? body : '';
}
