import type { ClientSettings } from '../aws/client.ts';
import type { InstantNs } from '../record/clock.ts';
import type { Execution, Place } from './executor.ts';

/** What a worker is asked to do. */
export interface WorkOrder {
  readonly input: unknown;
  readonly originNs: string;
  readonly traceparent: string | null;
  readonly settings: ClientSettings;
  /** Whether the worker keeps its tools for the next order, which has the same settings. */
  readonly keep: boolean;
}

/** The same for a worker whose task runs in an isolate of its own. */
export interface IsolateWorkOrder extends WorkOrder {
  /** The source text that the isolate is handed. */
  readonly source: string;
}

/** What a worker sends as its task starts. */
export interface StartedEvent extends Place {
  readonly startedAtNs: InstantNs;
}

/** What a worker sends when its task has run. */
export type WorkReport = Execution;

/** The one method that workers offer. */
export const workMethod = 'work';
