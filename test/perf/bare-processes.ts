import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Node processes that do nothing but compute, as a reference: nothing that shares work can be faster. */
export interface BareProcesses {
  /** Milliseconds until each has computed its share one process after another: what the work costs in all. */
  oneAfterAnother(): Promise<number>;
  /** Milliseconds until both have, each computing its share at the same time. */
  atOnce(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts two; each one's share is five tasks of `fib`. */
export async function startBareProcesses(n: number): Promise<BareProcesses> {
  const children = [0, 1].map(() =>
    fork(join(import.meta.dirname, 'bare-process.ts'), [String(n)], { env: {} }),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  return {
    oneAfterAnother: () =>
      timed(async () => {
        for (const child of children) await share(child);
      }),
    atOnce: () => timed(() => Promise.all(children.map((child) => share(child)))),
    async stop() {
      const exits = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
      await Promise.all(exits);
    },
  };
}

async function share(child: ChildProcess): Promise<void> {
  const done = once(child, 'message');
  child.send('compute');
  await done;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
