import type { ClientSettings, PlainRequest } from '../aws/client.ts';
import { errorCodeOf, isTransient } from '../aws/transient.ts';
import type { AnyTask, Exchange, ReadAs, Send, TaskResult } from '../workloads/task.ts';
import { retrying } from './retry.ts';

/** A plain HTTP client. */
export interface HttpClient {
  /** As {@link Send}; the signal ends the exchange and closes its socket. */
  send(this: void, request: PlainRequest, read: ReadAs, signal: AbortSignal): Promise<Exchange>;
  /** Closes its sockets, those in use too: their exchanges end as failed. */
  close(): void;
}

export type OpenHttp = (settings: ClientSettings) => HttpClient;

/** A task bound to what it uses. */
export interface Tools {
  /** The signal ends its exchanges and closes their sockets. */
  run(input: unknown, signal: AbortSignal): TaskResult | Promise<TaskResult>;
  /** Closes its sockets, those in use too. */
  close(): void;
}

/**
 * Loads what a task uses and returns what makes it: clients are made once a thread or process and run, and the
 * making, unlike the loading of modules that a long-lived process has loaded anyway, belongs to the run.
 *
 * @throws Error when a task that sends HTTP requests is given no client
 */
export async function loadTools(
  task: AnyTask,
  settings: ClientSettings,
  openHttp: OpenHttp | null,
): Promise<() => Tools> {
  switch (task.uses) {
    case 'nothing':
      return () => ({ run: (input) => task.run(input), close: () => undefined });
    case 'http': {
      if (openHttp === null) throw new Error('a task that sends HTTP requests was given no client');
      return () => {
        const client = openHttp(settings);
        return {
          run: (input, signal) => task.run(input, sender(client, settings, signal)),
          close: () => client.close(),
        };
      };
    }
    case 'sdk': {
      const open = await task.load();
      return () => {
        const session = open(settings);
        return {
          run: (input, signal) =>
            retrying(
              settings.attempts,
              signal,
              () => session.run(input, signal),
              (result) => result.state === 'failed' && result.retryable,
            ),
          close: () => session.close(),
        };
      };
    }
  }
}

/** What a task sends its requests with: each is tried again as the settings ask, until the signal fires. */
export function sender(client: HttpClient, { attempts }: ClientSettings, signal: AbortSignal): Send {
  return (request, read) =>
    retrying(
      attempts,
      signal,
      () => client.send(request, read, signal),
      (exchange) =>
        exchange.state === 'failed'
          ? exchange.retryable
          : isTransient(exchange.statusCode, errorCodeOf(exchange.headers, exchange.text)),
    );
}

/** The task's awaiting variant; `null` where it has none. */
export function awaitingVariant(
  task: AnyTask,
): ((input: unknown, signal: AbortSignal) => Promise<TaskResult>) | null {
  return task.uses === 'nothing' && task.runAwaiting !== undefined ? task.runAwaiting.bind(task) : null;
}
