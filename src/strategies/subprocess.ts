import type { StrategyEntry } from './declaration.ts';

export const subprocess: StrategyEntry = {
  declaration: {
    name: 'subprocess',
    summary: 'A fresh child process a task, through workerpool.',
    study: 'SUBPROCESS',
    runsOn: 'child-process',
    isolate: false,
    tasksAtOnce: 'concurrency',
    baseline: false,
    awaits: false,
    refusedAccesses: {},
  },
  load: async () => (await import('../execution/workers.ts')).workerProcesses,
};
