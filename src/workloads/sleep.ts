import type { WorkloadEntry } from './entry.ts';
import { ok, type PureTask } from './task.ts';

export const sleep: WorkloadEntry = {
  declaration: {
    name: 'sleep',
    summary: 'Waiting without work: blocks its thread for ms milliseconds, or awaits as long in async.',
    work: 'wait',
    blocksThread: 'unless-awaited',
    accesses: [],
    clients: [],
    service: null,
    validations: [],
    defaultTasks: 10,
    defaultStrategy: 'async',
    params: {
      ms: {
        kind: 'integer',
        summary: 'How long, in milliseconds.',
        minimum: 0,
        maximum: 60_000,
        default: 1000,
      },
    },
    answersParameter: null,
    sharedSettings: [],
    missingSetting: () => null,
    check: () => null,
  },
  load: async () => ({ task }),
};

export const task: PureTask<{ readonly ms: number }> = {
  uses: 'nothing',
  run({ ms }) {
    // The one blocking sleep that the language itself has, so that it works in a bare isolate too.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return ok();
  },
  async runAwaiting({ ms }, signal) {
    await new Promise<void>((resolve) => {
      // A timer of 0 ms waits for 1 ms.
      if (ms === 0) return void setImmediate(resolve);
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
    return ok();
  },
};
