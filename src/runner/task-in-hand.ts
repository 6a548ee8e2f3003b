import type { Execution, TaskHandle, TaskStart } from '../execution/executor.ts';
import type { Clock, InstantNs } from '../record/clock.ts';
import type { Labels, TaskRecord } from '../record/record.ts';
import type { TaskResult } from '../workloads/task.ts';
import type { CancelReason, StartedTask } from './messages.ts';
import { unfinishedError, unfinishedFacts, type UnfinishedFacts } from './unfinished.ts';

/** What a task must know of its run. */
export interface TaskRun {
  readonly clock: Clock;
  /** When every task began to queue. */
  readonly startedAtNs: InstantNs;
  readonly traceparents: readonly string[] | null;
  /** By task index; may be shorter. */
  readonly labels: readonly Labels[];
  /** Hears of each task as it happens. */
  readonly reporter: {
    started(task: StartedTask): void;
    ended(task: TaskRecord): void;
  };
  /** What a result counts as. */
  judge(result: TaskResult): TaskResult;
  /** Hears of each task that returned or crashed, once it is recorded. */
  onEnd(ok: boolean): void;
}

/** One task on its way from the queue to its record. */
export class TaskInHand implements TaskHandle {
  readonly index: number;
  readonly input: unknown;
  readonly traceparent: string | null;
  returnedAtNs: InstantNs | null = null;
  processCpuMs = 0;
  readonly #run: TaskRun;
  readonly #labels: Labels;
  #admittedAtNs: InstantNs | null = null;
  #started: StartedTask | null = null;
  #attempts: TaskStart['attempts'] = null;
  #controller: AbortController | null = null;
  #settled = false;

  constructor(run: TaskRun, index: number, input: unknown) {
    this.#run = run;
    this.index = index;
    this.input = input;
    this.traceparent = run.traceparents?.[index] ?? null;
    this.#labels = run.labels[index] ?? {};
  }

  /** A signal a task: a thousand listeners on one would cost each of them a look at all the others. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  admit(): void {
    this.#admittedAtNs = this.#run.clock();
  }

  started({ startedAtNs, pid, threadId, attempts }: TaskStart): void {
    if (this.#settled) return;
    this.#attempts = attempts;
    const admittedAtNs = this.#admittedAtNs ?? startedAtNs;
    const queuedAtNs = this.#run.startedAtNs;
    this.#started = { index: this.index, queuedAtNs, admittedAtNs, startedAtNs, pid, threadId };
    this.#run.reporter.started(this.#started);
  }

  returned({ result, processCpuMs, ...execution }: Execution): void {
    this.processCpuMs = processCpuMs ?? 0;
    if (this.#settled) return;
    this.#settled = true;
    const returnedAtNs = (this.returnedAtNs = this.#run.clock());
    const admittedAtNs = this.#admittedAtNs ?? execution.startedAtNs;
    const queuedAtNs = this.#run.startedAtNs;
    const labels = this.#labels;
    const facts = { index: this.index, ...execution, queuedAtNs, admittedAtNs, returnedAtNs, labels };
    const judged = this.#run.judge(result);
    this.#end(
      judged.state === 'ok'
        ? { ...facts, state: 'ok', output: judged.output }
        : { ...facts, state: 'failed', error: judged.error },
    );
  }

  crashed(message: string): void {
    if (this.#settled) return;
    this.#settled = true;
    const atNs = (this.returnedAtNs = this.#run.clock());
    const error = { code: 'worker_crashed', message, upstreamCode: null } as const;
    this.#end({ ...this.#knownAt(atNs), returnedAtNs: atNs, state: 'failed', error });
  }

  /** Records the task as it stands at its run's end; says whether there was anything left to end. */
  cancel(atNs: InstantNs, reason: CancelReason | 'joined'): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    const facts = { ...this.#knownAt(atNs), returnedAtNs: null };
    this.#run.reporter.ended(
      reason === 'run_timeout'
        ? { ...facts, state: 'failed', error: unfinishedError(reason) }
        : { ...facts, state: 'cancelled' },
    );
    return true;
  }

  /** Has whatever executes it end. */
  stop(): void {
    this.#controller?.abort();
  }

  #end(record: TaskRecord): void {
    this.#run.reporter.ended(record);
    this.#run.onEnd(record.state === 'ok');
  }

  /** What is known of a task that ends at `atNs` without a result. */
  #knownAt(atNs: InstantNs): UnfinishedFacts {
    return unfinishedFacts(this.index, atNs, {
      queuedAtNs: this.#run.startedAtNs,
      admittedAtNs: this.#admittedAtNs,
      started: this.#started,
      attempts: this.#attempts?.() ?? null,
      labels: this.#labels,
    });
  }
}
