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
  /** Signs one request a task and returns the inputs. @param signer which {@link Signing.open} made, of this run or another */
  sign(signer: OpenSigner): Promise<readonly unknown[]>;
}

/** Signs these calls, one a task. @param toInput gives a task its input, by index */
export function signingOf<Call>(
  open: () => Signer<Call>,
  calls: readonly Call[],
  toInput: (request: PlainRequest, index: number) => unknown,
): Signing {
  return {
    open,
    async sign(signer: Signer<Call>) {
      return (await signer.sign(calls)).map(toInput);
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
