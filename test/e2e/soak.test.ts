import { readdirSync } from 'node:fs';
import { setInterval as every } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runListSchema } from '../../src/http/schemas.ts';
import { anonymousKb } from '../perf/proportional.ts';
import { startLoadTest, summaryOf } from '../support/k6.ts';
import { descendantsOf } from '../support/processes.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { growthOf } from '../support/trend.ts';

/** How long it is loaded: `SOAK_MINUTES`, 10 by default. */
const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
const perSecond = 15;
const sampleMs = 1_000;
/** Caches fill, code is compiled, and heaps find their size, which takes V8 some 4,000 runs. */
const warmUpShare = 0.4;
/** What is there when nothing runs is seen between runs: the least of so many samples. */
const window = 15;

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
      const load = await startLoadTest(
        `npm run load -- soak --url ${service.url} --rate ${perSecond} --duration ${minutes * 60}s`,
        { P95_MS: '60000' },
      );
      const levels: Level[] = [];
      const ended = await Promise.race([load.ended, sampled(service.pid, levels)]);
      if (ended === null) throw new Error('the samples ended before the load');
      const { requests } = summaryOf(ended);
      expect(Math.abs(requests.sent - minutes * 60 * perSecond)).toBeLessThan(5);
      expect(requests).toMatchObject({ answered200: requests.sent, unanswered: 0, dropped: 0 });
      const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
      expect(runs.length).toBe(100);
      expect((await service.get('/metrics')).text).toMatch(/^bench_spans_dropped_total\S* 0$/mu);

      expect(levels.length).toBeGreaterThan(minutes * 40);
      const lows = lowsOf(levels.slice(Math.ceil(warmUpShare * levels.length)));
      const growth = {
        memory: growthOf(lows.map(({ memoryMb }) => memoryMb)),
        handles: growthOf(lows.map(({ handles }) => handles)),
        threads: growthOf(lows.map(({ threads }) => threads)),
        processes: growthOf(lows.map(({ processes }) => processes)),
      };
      process.stdout.write(`${JSON.stringify({ growth, first: lows[0], last: lows.at(-1) })}\n`);
      expect(growth.memory).toBeLessThan(0.1);
      expect(growth.handles).toBeLessThan(0.02);
      expect(growth.threads).toBeLessThan(0.02);
      expect(growth.processes).toBeLessThan(0.02);
    },
    (minutes + 3) * 60_000,
  );
});

async function sampled(servicePid: number, levels: Level[]): Promise<null> {
  for await (const _ of every(sampleMs)) levels.push(levelOf(servicePid));
  return null;
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

/** The least of each window, each figure by itself. */
function lowsOf(levels: readonly Level[]): readonly Level[] {
  const windows = Array.from({ length: Math.floor(levels.length / window) }, (_, index) =>
    levels.slice(index * window, (index + 1) * window),
  );
  const least = (of: (level: Level) => number) => (some: readonly Level[]) => Math.min(...some.map(of));
  return windows.map((some) => ({
    memoryMb: least(({ memoryMb }) => memoryMb)(some),
    handles: least(({ handles }) => handles)(some),
    threads: least(({ threads }) => threads)(some),
    processes: least(({ processes }) => processes)(some),
  }));
}
