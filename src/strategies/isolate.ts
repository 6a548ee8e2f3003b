import type { StrategyEntry } from './declaration.ts';
import { sdkNeedsNode } from './reasons.ts';

export const isolate: StrategyEntry = {
  declaration: {
    name: 'isolate',
    summary: 'A fresh V8 isolate a task, one after another.',
    study: 'SUBINTERPRETER',
    runsOn: 'main-thread',
    isolate: true,
    tasksAtOnce: 'one',
    baseline: false,
    awaits: false,
    refusedAccesses: { sdk: sdkNeedsNode },
  },
  load: async () => (await import('../execution/isolates.ts')).isolatesOnMainThread,
};
