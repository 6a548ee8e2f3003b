import { spreadOf, type Figure, type FigureGroup, type Settings } from '../figure.ts';
import { openLoop, type Overloaded } from '../open-loop.ts';
import { median, percentile } from '../statistics.ts';
import type { RunningService } from '../../support/service.ts';
import { withTracedService } from '../with-service.ts';

const roundMs = 3_000;
/** As MAX_RUNS_IN_FLIGHT has it by default. */
const places = 16;

/** How soon `/healthz` answers while runs come at three times the rate that the service can do. */
export const overload: FigureGroup = {
  name: 'overload',
  measure: (settings) =>
    withTracedService(async (service) => [
      // 16 at once for 100 ms each.
      await alive(
        'sleep in async',
        service,
        '/bench/sleep?strategy=async&ms=100&tasks=1',
        10 * places,
        settings,
      ),
      await alive('fib in threads', service, cpuBound, await perSecond(service, cpuBound), settings),
      await undisturbed(service, settings),
    ]),
};

const cpuBound = '/bench/fib?strategy=threads&n=30&tasks=4';

/** What machine and client make of it: where this is high, so are the others, whatever the service does. */
async function undisturbed({ url }: RunningService, { rounds }: Settings): Promise<Figure> {
  const p99Ms: number[] = [];
  for (let round = 0; round < Math.min(5, rounds); round += 1) {
    p99Ms.push(percentile((await openLoop(url, '/healthz', 0, roundMs)).healthMs, 99));
  }
  return {
    name: '  … while there are no runs',
    unit: 'ms',
    measured: median(p99Ms),
    spread: spreadOf(p99Ms),
    atMost: null,
    note: null,
    samples: { 'p99 ms': p99Ms },
  };
}

async function alive(
  name: string,
  { url }: RunningService,
  path: string,
  capacity: number,
  { rounds, warmups }: Settings,
): Promise<Figure> {
  for (let round = 0; round < Math.min(1, warmups); round += 1)
    await openLoop(url, path, 3 * capacity, roundMs);
  const kept: Overloaded[] = [];
  for (let round = 0; round < Math.min(5, rounds); round += 1) {
    kept.push(await openLoop(url, path, 3 * capacity, roundMs));
  }
  const p99Ms = kept.map(({ healthMs }) => percentile(healthMs, 99));
  const of = (status: number): number =>
    kept.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0);
  const all = kept.reduce((sum, { statuses }) => sum + [...statuses.values()].reduce((a, b) => a + b, 0), 0);
  return {
    name: `p99 of /healthz at three times what can be done, ${name}`,
    unit: 'ms',
    measured: median(p99Ms),
    spread: spreadOf(p99Ms),
    atMost: 50,
    note: `${of(200)} runs, ${of(503)} busy, ${all - of(200) - of(503)} other; ${Math.round(3 * capacity)} a second`,
    samples: { 'p99 ms': p99Ms },
  };
}

/** What it does in 3 s, asked by as many as may be in flight. */
async function perSecond(service: RunningService, path: string): Promise<number> {
  const startedMs = performance.now();
  let done = 0;
  const one = async (): Promise<void> => {
    for (; performance.now() - startedMs < roundMs; done += 1) await service.run(path);
  };
  await Promise.all(Array.from({ length: places }, one));
  return done / ((performance.now() - startedMs) / 1_000);
}
