import { setTimeout as wait } from 'node:timers/promises';
import { descendantsOf } from '../../support/processes.ts';
import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { memoryOf, type Memory } from '../proportional.ts';
import { median } from '../statistics.ts';
import { withTracedService } from '../with-service.ts';

const starts = 3;
/** Garbage is collected after 10 s, and V8 keeps the emptied pages for 8 s to 16 s more (`--memory-pool-timeout`). */
const idleMs = 40_000;
const plain = [
  '/bench/sleep?ms=1',
  '/bench/s3',
  '/bench/s3?strategy=sdk-async',
  '/bench/bedrock',
  '/bench/fib?strategy=threads&n=10',
];
const isolates = ['/bench/fib?strategy=isolate-threads&n=10'];

/** What service, emulator, runners and reapers take together when they have run something and do nothing more. */
export const memory: FigureGroup = {
  name: 'memory',
  async measure() {
    const [few, all]: [Memory[], Memory[]] = [[], []];
    for (let start = 0; start < starts; start += 1) {
      await withTracedService(async (service) => {
        const idle = async (paths: readonly string[]): Promise<Memory> => {
          for (const path of paths) for (let run = 0; run < 5; run += 1) await service.run(path);
          await wait(idleMs);
          return memoryOf([service.pid, ...descendantsOf(service.pid).map(({ pid }) => pid)]);
        };
        few.push(await idle(plain));
        all.push(await idle(isolates));
      });
    }
    return [
      together('memory of all processes, warm and idle', few, 250),
      together('  … with the runner for isolates', all, null),
    ];
  },
};

/** The proportional memory, where the machine tells it: together they have a page once that all of them share. */
function together(name: string, measured: readonly Memory[], atMost: number | null): Figure {
  const residentMb = measured.map((one) => one.residentMb);
  const proportionalMb = measured.flatMap((one) => one.proportionalMb ?? []);
  const told = proportionalMb.length > 0 ? proportionalMb : residentMb;
  return {
    name,
    unit: 'MB',
    measured: median(told),
    spread: spreadOf(told),
    atMost,
    note: `${proportionalMb.length > 0 ? 'PSS' : 'RSS'}; RSS ${median(residentMb).toFixed(0)} MB`,
    samples: { 'resident MB': residentMb, 'proportional MB': proportionalMb },
  };
}
