import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeRecord } from '../record/record.ts';
import { giveWay } from './give-way.ts';
import { batchFromRunner, type FromRunner, type ToRunner } from './messages.ts';
import { Outbox } from './outbox.ts';
import { guardGroup, type Dismiss } from '../reaper.ts';
import { isSystemError } from '../system-error.ts';
import type { Runtime } from './runtimes.ts';

export type RunnerKind = 'plain' | 'isolates';

export interface RunnerOptions {
  readonly kind: RunnerKind;
  readonly runtime: Pick<Runtime, 'name' | 'execPath'>;
  /** The folder that the build wrote. */
  readonly distFolder: string;
  /** The runner's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What a run hears of its runner. */
export interface RunListener {
  heard(message: Extract<FromRunner, { runId: string }>): void;
  died(): void;
}

/** How long a runner may say nothing to a question that it can answer at once. */
const silenceMs = 5_000;
/** How long a new runner may take until it says that it is ready. */
const startLimitMs = 15_000;

/** A measured process, as its supervisor sees it: the leader of a process group, which is killed as a whole. */
export class RunnerProcess {
  readonly pid: number;
  readonly runtime: RuntimeRecord;
  /** Settles when the process and all of its group are gone. */
  readonly gone: Promise<void>;
  #alive = true;
  /** It was killed; the kernel takes some milliseconds to say that it is gone. */
  #killed = false;
  readonly #child: ChildProcess;
  readonly #listeners = new Map<string, RunListener>();
  readonly #outbox: Outbox<ToRunner>;
  #kept = 0;
  /** What to call when it says how many it keeps, or is gone. */
  #onKept: () => void = () => undefined;

  /**
   * Starts a runner and waits until it is ready.
   * @throws Error when it dies first, or takes longer than 15 s
   */
  static async start({ kind, runtime, distFolder, environment }: RunnerOptions): Promise<RunnerProcess> {
    const child = fork(join(distFolder, 'runner.js'), {
      execPath: runtime.execPath,
      detached: true,
      // isolated-vm's documentation asks for the flag; threads and processes start twice as slowly with it.
      execArgv: ['--title=fanout-bench runner', ...(kind === 'isolates' ? ['--no-node-snapshot'] : [])],
      env: { ...environment },
      // JSON, which every runtime's child processes understand. What a runner prints must not mix with the log.
      serialization: 'json',
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    // Without a listener an error, such as too many open files, would end the service. What becomes of the process is
    // heard of by its exit.
    const failed = new Promise<Error>((resolve) => child.on('error', resolve));
    const { pid } = child;
    if (pid === undefined) throw await failed;
    // What is measured leaves cores to who answers: else `/healthz` waits for a turn behind all that compute.
    void giveWay(pid);
    const dismiss = await guardGroup(pid).catch((error: unknown) => {
      killGroup(pid);
      throw error;
    });
    const first: unknown = await Promise.race([
      once(child, 'message').then(([message]: unknown[]) => message),
      once(child, 'exit'),
      sleep(startLimitMs, null, { ref: false }),
    ]);
    const [ready] = batchFromRunner.safeParse(first).data ?? [];
    if (ready?.type !== 'ready') {
      killGroup(pid);
      dismiss();
      throw new Error('the runner did not become ready');
    }
    return new RunnerProcess(child, pid, { name: runtime.name, version: ready.version }, dismiss);
  }

  private constructor(child: ChildProcess, pid: number, runtime: RuntimeRecord, dismiss: Dismiss) {
    this.#child = child;
    this.pid = pid;
    this.runtime = runtime;
    this.#outbox = new Outbox((messages) => {
      // A runner that dies meanwhile is heard of by its exit.
      if (this.alive) child.send(messages, () => undefined);
    });
    child.on('message', (messages) => this.#hear(messages));
    this.gone = this.#watch(dismiss);
  }

  /** Whether it can be asked anything. */
  get alive(): boolean {
    return this.#alive && !this.#killed && this.#child.connected;
  }

  /** How many workers and isolates lie idle in it, as far as it has said. */
  get kept(): number {
    return this.#kept;
  }

  /**
   * Resolves when no more than this lie idle, or it is gone. One call at a time. It is asked again as long as there are
   * more: while it ends some, a run may lay others down. One that says nothing for 5 s is killed: others wait for it.
   */
  async keepAtMost(most: number): Promise<void> {
    while (this.alive && this.#kept > most) {
      const told = new Promise<void>((resolve) => (this.#onKept = resolve));
      this.send({ type: 'keep', atMost: most });
      const silent = setTimeout(() => void this.kill(), silenceMs);
      await told;
      clearTimeout(silent);
    }
  }

  /** From now on the listener hears what the runner says of this run. */
  listen(runId: string, listener: RunListener): void {
    this.#listeners.set(runId, listener);
  }

  forget(runId: string): void {
    this.#listeners.delete(runId);
  }

  send(message: ToRunner): void {
    this.#outbox.post(message);
  }

  /** Kills it and all its workers; resolves when they are gone. */
  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#alive) killGroup(this.pid);
    await this.gone;
  }

  async #watch(dismiss: Dismiss): Promise<void> {
    await once(this.#child, 'exit');
    this.#alive = false;
    this.#onKept();
    // Its workers outlive it otherwise.
    await groupGone(this.pid);
    dismiss();
    for (const listener of this.#listeners.values()) listener.died();
  }

  #hear(raw: unknown): void {
    const parsed = batchFromRunner.safeParse(raw);
    // A runner that does not keep to the protocol can't be trusted with anything.
    if (!parsed.success) return void this.kill();
    for (const message of parsed.data) this.#hearOne(message);
  }

  #hearOne(message: FromRunner): void {
    if (message.type === 'ready') return;
    if (message.type === 'kept') return this.#keeps(message.kept);
    if (message.type === 'news' && message.finished !== null) this.#keeps(message.finished.kept);
    this.#listeners.get(message.runId)?.heard(message);
  }

  #keeps(kept: number): void {
    this.#kept = kept;
    this.#onKept();
  }
}

/** Kills what is left of a group and waits, for half a second at most, until the kernel has cleared it away. */
async function groupGone(groupId: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < 500 && killGroup(groupId); waitedMs += 5) await sleep(5);
}

/** Whether there was anyone left to kill. */
function killGroup(groupId: number): boolean {
  try {
    return process.kill(-groupId, 'SIGKILL');
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    throw error;
  }
}
