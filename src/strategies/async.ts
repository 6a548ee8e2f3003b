import type { StrategyEntry } from './declaration.ts';

export const async: StrategyEntry = {
  declaration: {
    name: 'async',
    summary: "All tasks at once on the main thread's event loop; CPU work still runs one task after another.",
    study: 'ASYNC',
    runsOn: 'main-thread',
    isolate: false,
    tasksAtOnce: 'concurrency',
    baseline: false,
    awaits: true,
    refusedAccesses: {},
  },
  load: async () => (await import('../execution/in-process.ts')).awaitingInProcess,
};
