import { AsyncLocalStorage } from 'node:async_hooks';
import { redactUrl } from '../../otel/redaction.ts';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { AttemptRecord, IntervalNs } from '../record/record.ts';

/** What watches the HTTP exchanges of one task. */
export interface Observation {
  readonly clock: Clock;
  readonly traceparent: string | null;
  readonly exchanges: { record(): AttemptRecord }[];
}

const observations = new AsyncLocalStorage<Observation>();

/**
 * Watches the HTTP exchanges that `act` makes, whichever client makes them: the watchers of node:http and of undici
 * record the same things, so their figures compare. They add headers to each request (see {@link addedHeaders}), after
 * it was signed.
 *
 * `act` gets a function that says what was seen so far.
 */
export function observeHttp<T>(
  clock: Clock,
  traceparent: string | null,
  act: (seen: () => readonly AttemptRecord[]) => T,
): T {
  const observation: Observation = { clock, traceparent, exchanges: [] };
  return observations.run(observation, () =>
    act(() => observation.exchanges.map((exchange) => exchange.record())),
  );
}

/** Of the task that is running; `null` outside of any. */
export function currentObservation(): Observation | null {
  return observations.getStore() ?? null;
}

/** What the next request of a task carries beside its own headers, never signed. */
export function addedHeaders({ traceparent, exchanges }: Observation): Readonly<Record<string, string>> {
  const attempt = exchanges.length + 1;
  return {
    ...(traceparent !== null && { traceparent }),
    // The emulator's draws go by it. Nothing is said of a first attempt.
    ...(attempt > 1 && { 'x-fanout-attempt': String(attempt) }),
  };
}

/** What was seen of one exchange; an instant is `null` where it was not seen, or not yet. */
export interface SeenExchange extends Omit<AttemptRecord, 'url' | 'phases'> {
  /** As it was asked for, with whatever is secret in it. */
  readonly url: string;
  /** When its connection began to be made. */
  readonly connectingAtNs: InstantNs | null;
  readonly lookedUpAtNs: InstantNs | null;
  readonly connectedAtNs: InstantNs | null;
  readonly securedAtNs: InstantNs | null;
  /** When nothing was left to do but to wait for the answer. */
  readonly sentAtNs: InstantNs | null;
  readonly answeredAtNs: InstantNs | null;
}

/** What every watcher makes of what it saw: the same instants are the same phases. */
export function attemptOf({
  connectingAtNs,
  lookedUpAtNs,
  connectedAtNs,
  securedAtNs,
  sentAtNs,
  answeredAtNs,
  url,
  ...told
}: SeenExchange): AttemptRecord {
  return {
    ...told,
    url: redactUrl(url),
    phases: {
      dns: interval(connectingAtNs, lookedUpAtNs),
      connect: interval(lookedUpAtNs ?? connectingAtNs, connectedAtNs),
      tls: interval(connectedAtNs, securedAtNs),
      ttfb: interval(sentAtNs, answeredAtNs),
      download: interval(answeredAtNs, told.endedAtNs),
    },
  };
}

/** A stretch of time; `null` where an end of it is not known. */
function interval(fromNs: InstantNs | null, toNs: InstantNs | null): IntervalNs | null {
  return fromNs === null || toNs === null || toNs < fromNs ? null : { fromNs, toNs };
}

/** The longest `dur` of a Server-Timing header (W3C Server Timing), in milliseconds. */
export function serverTimingMs(header: string | readonly string[] | undefined): number | null {
  const durations = [...String(header ?? '').matchAll(/;\s*dur\s*=\s*"?(\d+(?:\.\d+)?)/g)].map(([, digits]) =>
    Number(digits),
  );
  return durations.length === 0 ? null : Math.max(...durations);
}
