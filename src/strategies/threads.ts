import type { StrategyEntry } from './declaration.ts';

export const threads: StrategyEntry = {
  declaration: {
    name: 'threads',
    summary: 'A fresh worker thread a task, through workerpool.',
    study: 'THREADS',
    runsOn: 'worker-thread',
    isolate: false,
    tasksAtOnce: 'concurrency',
    baseline: false,
    awaits: false,
    refusedAccesses: {},
  },
  load: async () => (await import('../execution/workers.ts')).workerThreads,
};
