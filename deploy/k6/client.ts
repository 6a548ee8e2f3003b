import { check } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { codeIn, noAnswerCode } from './codes.ts';
import { noteFailure } from './failures.ts';
import { needed } from './readiness.ts';
import { authorization, settings } from './settings.ts';
import { newSeed, noteDuration, traceparentOf } from './traces.ts';

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
/**
 * From the request's first byte to the answer's last, of those that were answered with 200: a refusal is soon made, and
 * would have a service that refuses much look fast.
 */
const answerMs = new Trend('answer_ms', true);
/** What the service says that the run itself took. */
const runMs = new Trend('run_ms', true);
const healthy = new Rate('healthy');
const healthMs = new Trend('health_ms', true);

/** Checks that the service is ready, and makes what the test shares. Fails the test where it is not. */
export function setup(): SetUp {
  needed('/readyz');
  return { seed: newSeed() };
}

interface Asking {
  /** Of this request, which no other of the test has; it tells which run was asked for. Whole, and less than 2^30. */
  readonly number: number;
  /** Whether 503 `busy`, what a service says that has too much to do, is an answer that the test takes. */
  readonly busyIsAccepted?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Asks for one run, in a trace of its own.
 * @returns the code of what became of it instead, where that was not 200
 */
export function ask(
  path: string,
  { seed }: SetUp,
  { number, busyIsAccepted = false, tags = {} }: Asking,
): string | null {
  const response = http.get(settings.baseUrl + path, {
    headers: { ...authorization(), traceparent: traceparentOf(seed, number) },
    // A name of its own would be kept for each URL.
    tags: { name: path.split('?', 1)[0] ?? '', ...tags },
    responseCallback: busyIsAccepted ? http.expectedStatuses(200, 503) : http.expectedStatuses(200),
    timeout: '60s',
  });
  const { status, timings } = response;
  const code = status === 0 ? noAnswerCode(response.error_code) : codeIn(textOf(response.body));
  counterOf(status).add(1, tags);
  if (status === 0 && code === 'connection_refused') unansweredRefused.add(1, tags);
  const isBusy = status === 503 && code === 'busy';
  const isAccepted = check(
    response,
    {
      'is 200, or 503 busy with Retry-After where that is accepted': () =>
        status === 200 || (busyIsAccepted && isBusy && Number(response.headers['Retry-After']) > 0),
    },
    tags,
  );
  accepted.add(isAccepted, tags);
  // A run that was refused has no waterfall to look at, however long it waited for that.
  if (status !== 0 && status !== 503) noteDuration(number, timings.duration);
  if (status !== 200) {
    noteFailure(code, number);
    return code;
  }
  answerMs.add(timings.duration, tags);
  const run = /\brun;dur=([\d.]+)/u.exec(response.headers['Server-Timing'] ?? '')?.[1];
  runMs.add(Number(run), tags);
  return null;
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

function counterOf(status: number): Counter {
  if (status === 0) return unanswered;
  if (status === 200) return answered200;
  return status === 503 ? answered503 : answeredOtherwise;
}

/** `null`: there was no answer. */
type Body = string | ArrayBuffer | null;

function textOf(body: Body): string {
  return typeof body === 'string' ? body : '';
}
