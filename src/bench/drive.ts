import { BenchError } from '../errors.ts';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { RunnerLoad, TaskRecord } from '../record/record.ts';
import type { BegunRun, CancelReason, FromRunner, RunOrder, StartedTask } from '../runner/messages.ts';
import type { RunnerProcess } from '../runner/runner-process.ts';

/** Everything that was heard of a run, and how it ended. */
export interface RunNews {
  /** When it was asked for: what precedes that, such as the start of a runner, is no part of it. */
  readonly orderedAtNs: InstantNs;
  readonly begun: BegunRun | null;
  /** By task index: what is known of tasks that did not end. */
  readonly started: ReadonlyMap<number, StartedTask>;
  readonly ended: ReadonlyMap<number, TaskRecord>;
  readonly ending: Ending;
  readonly endedAtNs: InstantNs;
  /** `null` when the runner did not live to tell. */
  readonly load: RunnerLoad | null;
}

type Refused = Extract<FromRunner, { type: 'refused' }>;

export type Ending =
  | { readonly kind: 'joined' }
  | { readonly kind: 'cut'; readonly reason: CancelReason }
  | { readonly kind: 'died' }
  | { readonly kind: 'refused'; readonly refusal: Refused };

/** How long a runner may be silent while it gives a run up, before it is killed. */
const graceMs = 4_000;

/**
 * Has a runner execute an order, and listens. Cuts the run off when its time is over (counted from its start; what
 * precedes it may take as long) or the signal fires: tasks that hold the runner's main thread can't be asked, so the
 * runner is killed. Resolves when nothing of the run is left alive; never rejects.
 */
export async function drive(
  order: RunOrder,
  runner: RunnerProcess,
  clock: Clock,
  signal: AbortSignal,
): Promise<RunNews> {
  const { runId, plan } = order;
  const orderedAtNs = clock();
  const started = new Map<number, StartedTask>();
  const ended = new Map<number, TaskRecord>();
  let begun: BegunRun | null = null;
  let cut: { readonly reason: CancelReason; readonly atNs: InstantNs } | null = null;

  const news = await new Promise<Pick<RunNews, 'ending' | 'endedAtNs' | 'load'>>((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const limit = setTimeout(() => cutOff('run_timeout'), plan.timeoutMs);
    timers.push(limit);
    let grace: NodeJS.Timeout | null = null;
    const cutOff = (reason: CancelReason): void => {
      if (cut !== null) return;
      cut = { reason, atNs: clock() };
      if (plan.holdsMainThread) return void runner.kill();
      runner.send({ type: 'cancel', runId, reason });
      grace = setTimeout(() => void runner.kill(), graceMs);
      timers.push(grace);
    };
    const leave = (): void => cutOff(reasonOf(signal));
    const settle = (ending: Ending, endedAtNs: InstantNs, load: RunnerLoad | null): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      runner.forget(runId);
      const end: Ending = cut === null ? ending : { kind: 'cut', reason: cut.reason };
      // A runner that gave the run up says when it did, a little after it was asked to.
      const toldAtNs = cut === null || ending.kind === 'joined' ? endedAtNs : 0;
      resolve({ ending: end, endedAtNs: Math.max(cut?.atNs ?? 0, toldAtNs), load });
    };

    runner.listen(runId, {
      heard(message) {
        if (message.type === 'refused') {
          return settle({ kind: 'refused', refusal: message }, message.endedAtNs, null);
        }
        if (message.begun !== null) {
          // Until here it was the finding of inputs that was limited; now it is the run.
          if (begun === null) limit.refresh();
          begun = message.begun;
        }
        // A runner that still talks is giving it up.
        grace?.refresh();
        for (const task of message.started) started.set(task.index, task);
        for (const task of message.ended) ended.set(task.index, task);
        const { finished } = message;
        if (finished !== null) settle({ kind: 'joined' }, finished.endedAtNs, finished.load);
      },
      died: () => settle({ kind: 'died' }, clock(), null),
    });
    if (!runner.alive) return settle({ kind: 'died' }, clock(), null);
    // Of a run that it was never given a runner says nothing.
    if (signal.aborted) return settle({ kind: 'cut', reason: reasonOf(signal) }, clock(), null);
    signal.addEventListener('abort', leave, { once: true });
    runner.send({ type: 'run', order });
  });
  return { orderedAtNs, begun, started, ended, ...news };
}

/** Why a signal gives a run up: because the service ends, or because its client went away. */
function reasonOf({ reason }: AbortSignal): CancelReason {
  return reason instanceof BenchError && reason.code === 'shutting_down' ? 'shutting_down' : 'cancelled';
}
