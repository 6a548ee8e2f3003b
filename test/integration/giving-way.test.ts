import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { childrenOf, workersOf } from '../support/process-table.ts';
import { startService, type RunningService } from '../support/service.ts';

/** What is measured gives way to who answers, or to who is asked. */
let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const own = getPriority();
const lower = Math.min(19, own + 10);

describe.each(strategies.map(({ declaration }) => declaration.name))('a runner of %s', (strategy) => {
  it('runs, with its threads and processes, at a lower priority than the service', async () => {
    const pool = ['single', 'async', 'isolate'].includes(strategy) ? 'cold' : 'warm';
    const { runner } = await service.run(`/bench/fib?strategy=${strategy}&tasks=3&n=10&pool=${pool}`);
    const pids = [Number(runner.pid), ...workersOf(runner.pid)];
    // Its own, and those that others left it.
    expect(pids.length).toBeGreaterThan(strategy.includes('subprocess') ? 3 : 0);
    expect(pids.map((pid) => getPriority(pid))).toEqual(pids.map(() => lower));
    if (process.platform !== 'linux') return;
    const threads = pids.flatMap(prioritiesOf);
    expect(threads.length).toBeGreaterThan(strategy.includes('threads') ? 3 : 0);
    expect(new Set(threads)).toEqual(new Set([lower]));
    await expect.poll(() => sessionPriorities(pids).filter((nice) => nice !== '10')).toEqual([]);
  });
});

it('service and emulator run at the priority that they were started with', () => {
  const pids = [service.pid, ...childrenOf(service.pid, 'fanout-bench emulator')];
  expect(pids).toHaveLength(2);
  expect(pids.map((pid) => getPriority(pid))).toEqual([own, own]);
});

/** Of each thread. Linux: the 19th field, of which the first two are an id and a name in brackets. */
function prioritiesOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')
      .replace(/^.*\) /su, '')
      .split(' ');
    return Number(fields[16]);
  });
}

/** Of those whose session has one: where Linux does not share the cores by sessions there are none. */
function sessionPriorities(pids: readonly number[]): (string | undefined)[] {
  if (!existsSync('/proc/self/autogroup')) return [];
  return pids
    .map((pid) => readFileSync(`/proc/${pid}/autogroup`, 'utf8'))
    .filter((text) => text !== '')
    .map((text) => / nice (-?\d+)$/mu.exec(text)?.[1]);
}
