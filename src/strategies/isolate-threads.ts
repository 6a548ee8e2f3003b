import type { StrategyEntry } from './declaration.ts';
import { sdkNeedsNode } from './reasons.ts';

export const isolateThreads: StrategyEntry = {
  declaration: {
    name: 'isolate-threads',
    summary: "A fresh V8 isolate a task, all at once, on isolated-vm's own threads.",
    study: 'SUBINTERPRETER_THREADS',
    runsOn: 'isolate-threads',
    isolate: true,
    tasksAtOnce: 'concurrency',
    baseline: false,
    awaits: false,
    refusedAccesses: { sdk: sdkNeedsNode },
  },
  load: async () => (await import('../execution/isolates.ts')).isolatesOnOwnThreads,
};
