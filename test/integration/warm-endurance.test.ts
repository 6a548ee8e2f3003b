import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { shelfDefaults } from '../../src/execution/shelf.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { residentMbOf, workersOf } from '../support/process-table.ts';
import { WarmBench, warmCells } from '../support/warm-bench.ts';

/** How often each strategy runs. */
const runs = 1_000;
const minute = 60_000;
/** Every strategy once, with what it can keep: workers and isolates for `fib`, clients and bodies for `s3`. */
const withBodies = new Set([
  'sdk-single',
  'sdk-async',
  'presigned-single',
  'presigned-async',
  'presigned-isolate-threads',
]);
const titled = warmCells
  .filter(({ workload, strategy }) => workload === 'fib' || (workload === 's3' && withBodies.has(strategy)))
  .map((cell) => ({ ...cell, title: `${cell.workload} ${cell.strategy}` }));

let bench: WarmBench;
beforeAll(async () => {
  bench = await WarmBench.start(1);
});
afterAll(() => bench.stop());

describe.runIf(process.platform === 'linux')('after many warm runs', () => {
  const runners = new Map<number, Level>();
  beforeAll(async () => {
    // What a process makes once and keeps anyway is made by now.
    for (let round = 0; round < 3; round += 1) {
      for (const cell of titled) await bench.run(cell, 'cold');
    }
    for (const cell of titled) {
      const pid = pidOf(await bench.run(cell, 'cold'));
      runners.set(pid, levelOf(pid));
    }
  }, minute);

  it.each(titled)(
    `$title: there is as much as after the first of ${runs}`,
    async (cell) => {
      const pid = pidOf(await bench.run(cell, 'warm'));
      const first = levelOf(pid);
      const residentMb: number[] = [];
      for (let run = 1; run < runs; run += 1) {
        await bench.run(cell, 'warm');
        if (run % 10 === 0) residentMb.push(residentMbOf(pid));
      }
      await vi.waitFor(() => expectNoMore(pid, first), 5_000);
      // Between two collections of garbage it grows, and allocators keep what they had once; what stays for good is told
      // from that by its size: the bodies of six hundred runs alone are more than 500 MB.
      const fifth = residentMb.length / 5;
      const [early, late] = [residentMb.slice(fifth, 2 * fifth), residentMb.slice(-fifth)];
      expect(Math.min(...late)).toBeLessThanOrEqual(1.5 * Math.min(...early) + 64);
    },
    4 * minute,
  );

  it(
    'nothing is left of them when all was idle for long',
    async () => {
      await vi.waitFor(
        () => {
          for (const [pid, before] of runners) expectNoMore(pid, before);
        },
        { timeout: shelfDefaults.idleMs + 10_000, interval: 500 },
      );
    },
    minute,
  );
});

interface Level {
  readonly threads: number;
  readonly handles: number;
  readonly processes: number;
}

/** isolated-vm has a thread more than there are cores, each made when it is first wanted. */
const lateThreads = availableParallelism() + 1;

/** It may be less: what other strategies left is closed meanwhile. */
function expectNoMore(pid: number, before: Level): void {
  const { threads, handles, processes } = levelOf(pid);
  expect(threads).toBeLessThanOrEqual(before.threads + lateThreads);
  expect(handles).toBeLessThanOrEqual(before.handles);
  expect(processes).toBeLessThanOrEqual(before.processes);
}

/** All are zero for a runner that was ended itself, idle as it was. */
function levelOf(pid: number): Level {
  if (!existsSync(`/proc/${pid}/task`)) return { threads: 0, handles: 0, processes: 0 };
  return {
    threads: readdirSync(`/proc/${pid}/task`).length,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    processes: workersOf(pid).length,
  };
}

function pidOf({ runner, outcome }: RunRecord): number {
  expect(outcome).toBe('ok');
  return runner.pid ?? 0;
}
