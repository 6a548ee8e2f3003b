import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientSettings, PlainRequest, Signer } from '../aws/client.ts';
import type { TargetSettings } from '../aws/target.ts';
import type { Labels } from '../record/record.ts';
import type { RunPlan, Warning } from '../record/plan.ts';

/** What the tasks of a run are given, by index. */
export interface PreparedInputs {
  /** Empty where signing makes them. */
  readonly inputs: readonly unknown[];
  /** What each task is about, for its span; may be left out. */
  readonly labels?: readonly Labels[];
  readonly warnings: readonly Warning[];
  /** `null` where nothing is signed. */
  readonly signing: Signing | null;
}

/** A client that signs, and may do so for other runs of equal settings after this one. */
export type OpenSigner = Pick<Signer<never>, 'close'>;

/** How a run's requests are signed. */
export interface Signing {
  open(): OpenSigner;
  /**
   * Signs one request a task and returns the inputs.
   * @param signer which {@link Signing.open} made, of this run or another
   * @throws the signal's reason, when it fires first
   */
  sign(signer: OpenSigner, signal: AbortSignal): Promise<readonly unknown[]>;
}

/** So many are signed at once. */
const sliceLength = 100;

/**
 * Signs these calls, one a task, all at once up to a hundred. After each hundred other work has its turn: ten thousand
 * signatures hold the event loop for seconds, in which nobody would be heard.
 * @param toInput gives a task its input, by index
 */
export function signingOf<Call>(
  open: () => Signer<Call>,
  calls: readonly Call[],
  toInput: (request: PlainRequest, index: number) => unknown,
): Signing {
  return {
    open,
    async sign(signer: Signer<Call>, signal) {
      const requests: PlainRequest[] = [];
      for (let first = 0; first < calls.length; first += sliceLength) {
        if (first > 0) await nextTurn();
        signal.throwIfAborted();
        const slice = calls.slice(first, first + sliceLength);
        requests.push(...(await Promise.all(slice.map((call) => signer.sign(call)))));
      }
      return requests.map(toInput);
    },
  };
}

/**
 * Finds out what the tasks are about (a listing, say), before the run starts.
 * @throws BenchError `no_objects` when there is nothing to do; anything else counts as `upstream_unavailable`.
 */
export type PrepareInputs = (
  plan: RunPlan,
  target: TargetSettings,
  settings: ClientSettings,
  signal: AbortSignal,
) => Promise<PreparedInputs>;
