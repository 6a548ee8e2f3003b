import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shelfDefaults } from '../../src/execution/shelf.ts';
import { runListSchema } from '../../src/http/schemas.ts';
import { exclusiveIdleMs } from '../../src/runner/runners-alike.ts';
import { anonymousKb } from '../perf/proportional.ts';
import { startLoadTest, summaryOf } from '../support/k6.ts';
import { descendantsOf } from '../support/processes.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { growthOf } from '../support/trend.ts';

/** How long it is loaded: `SOAK_MINUTES`, 10 by default. */
const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
const perSecond = 15;
const stretchSeconds = 75;
/**
 * Under load a heap is mostly garbage, more or less of it for minutes, and there may be a runner more or less. So there is
 * a lull after each stretch, until the workers and runners that are kept for a next run have gone, and idle processes have
 * collected their garbage (10 s).
 */
const lullMs = Math.max(shelfDefaults.idleMs, exclusiveIdleMs) + 15_000;
const stretches = Math.max(6, Math.round((minutes * 60) / stretchSeconds));
/** Caches fill, code is compiled, and heaps find their size, which takes V8 some 4,000 runs. */
const warmUps = Math.floor(0.4 * stretches);

/** What all processes of a service have together. */
interface Level {
  readonly memoryMb: number;
  readonly handles: number;
  readonly threads: number;
  readonly processes: number;
}

let bench: Awaited<ReturnType<typeof startServiceWithJaeger>>;
beforeAll(async () => {
  // Full long before the end of the warm-up.
  bench = await startServiceWithJaeger({ MAX_RUNS_KEPT: '100' });
});
afterAll(() => bench.stop());

describe.runIf(process.platform === 'linux')(`${minutes} minutes of mixed load`, () => {
  it(
    'leave memory, handles, threads and processes as they were',
    async () => {
      const { service } = bench;
      const levels: Level[] = [];
      for (let stretch = 0; stretch < stretches; stretch += 1) {
        await loaded(service.url);
        await wait(lullMs);
        levels.push(levelOf(service.pid));
      }
      const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
      expect(runs.length).toBe(100);
      expect((await service.get('/metrics')).text).toMatch(/^bench_spans_dropped_total\S* 0$/mu);

      const warm = levels.slice(warmUps);
      const growth = {
        memory: growthOf(warm.map(({ memoryMb }) => memoryMb)),
        handles: growthOf(warm.map(({ handles }) => handles)),
        threads: growthOf(warm.map(({ threads }) => threads)),
        processes: growthOf(warm.map(({ processes }) => processes)),
      };
      process.stdout.write(`${JSON.stringify({ growth, levels })}\n`);
      expect(growth.memory).toBeLessThan(0.1);
      expect(growth.handles).toBeLessThan(0.02);
      expect(growth.threads).toBeLessThan(0.02);
      expect(growth.processes).toBeLessThan(0.02);
    },
    stretches * (stretchSeconds * 1_000 + lullMs) + 180_000,
  );
});

/** A stretch of load in which every run is answered. */
async function loaded(url: string): Promise<void> {
  const load = await startLoadTest(
    `npm run load -- soak --url ${url} --rate ${perSecond} --duration ${stretchSeconds}s`,
    { P95_MS: '60000' },
  );
  const { requests } = summaryOf(await load.ended);
  expect(Math.abs(requests.sent - stretchSeconds * perSecond)).toBeLessThan(5);
  expect(requests).toMatchObject({ answered200: requests.sent, unanswered: 0, dropped: 0 });
}

function levelOf(servicePid: number): Level {
  const pids = [servicePid, ...descendantsOf(servicePid).map(({ pid }) => pid)];
  const each = pids.flatMap(levelOfProcess);
  const total = (of: (one: Omit<Level, 'processes'>) => number) =>
    each.reduce((sum, one) => sum + of(one), 0);
  return {
    memoryMb: total(({ memoryMb }) => memoryMb),
    handles: total(({ handles }) => handles),
    threads: total(({ threads }) => threads),
    processes: each.length,
  };
}

/** Nothing for one that ended meanwhile. */
function levelOfProcess(pid: number): readonly Omit<Level, 'processes'>[] {
  try {
    return [
      {
        memoryMb: anonymousKb(pid) / 1024,
        handles: readdirSync(`/proc/${pid}/fd`).length,
        threads: readdirSync(`/proc/${pid}/task`).length,
      },
    ];
  } catch {
    return [];
  }
}
