import type { StrategyEntry } from './declaration.ts';

export const single: StrategyEntry = {
  declaration: {
    name: 'single',
    summary: "One task after another on the runner's main thread.",
    study: 'SINGLE',
    runsOn: 'main-thread',
    isolate: false,
    tasksAtOnce: 'one',
    baseline: true,
    awaits: false,
    refusedAccesses: {},
  },
  load: async () => (await import('../execution/in-process.ts')).blockingInProcess,
};
