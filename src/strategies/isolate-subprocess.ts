import type { StrategyEntry } from './declaration.ts';
import { sdkNeedsNode } from './reasons.ts';

export const isolateSubprocess: StrategyEntry = {
  declaration: {
    name: 'isolate-subprocess',
    summary: 'A fresh V8 isolate inside a fresh child process a task.',
    study: 'SUBINTERPRETER_SUBPROC',
    runsOn: 'child-process',
    isolate: true,
    tasksAtOnce: 'concurrency',
    baseline: false,
    awaits: false,
    refusedAccesses: { sdk: sdkNeedsNode },
  },
  load: async () => (await import('../execution/workers.ts')).isolatesInProcesses,
};
