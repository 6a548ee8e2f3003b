import type { WorkloadEntry } from './entry.ts';
import { ok, wrong, type PureTask } from './task.ts';

export const fib: WorkloadEntry = {
  declaration: {
    name: 'fib',
    summary: 'CPU work: the n-th Fibonacci number by naive recursion.',
    work: 'cpu',
    blocksThread: 'always',
    accesses: [],
    clients: [],
    service: null,
    validations: ['nonempty'],
    defaultTasks: 10,
    defaultStrategy: 'async',
    params: {
      n: { kind: 'integer', summary: 'Which Fibonacci number.', minimum: 0, maximum: 60, default: 30 },
    },
    answersParameter: null,
    sharedSettings: [],
    missingSetting: () => null,
    check(output, params) {
      const expected = fibonacciByAddition(Number(params['n']));
      return output.value === expected ? null : wrong(`${String(output.value)} instead of ${expected}`);
    },
  },
  load: async () => ({ task }),
};

export const task: PureTask<{ readonly n: number }> = {
  uses: 'nothing',
  run: ({ n }) => ok({ value: fibonacci(n) }),
};

/** The study's function: exponential on purpose. */
function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/** Exact up to n = 78, where a double ends. */
function fibonacciByAddition(n: number): number {
  let [current, next] = [0, 1];
  for (let step = 0; step < n; step += 1) [current, next] = [next, current + next];
  return current;
}
