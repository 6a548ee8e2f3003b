import { execFileSync } from 'node:child_process';
import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { median, slope } from '../statistics.ts';
import { withTracedService } from '../with-service.ts';

const runs = 50;
const tasks = 1_000;

/** Many large runs, one straight after another: no span is lost, and the service's memory stays flat. */
export const endurance: FigureGroup = {
  name: 'endurance',
  async measure() {
    const free = await endure({});
    const held = await endure({ NODE_OPTIONS: '--max-old-space-size=80' });
    return [
      spansLost(free.spans),
      memory('memory of the service, last 10 runs / runs 11-20', free.rssMb, 1.15),
      // Garbage that V8 has not collected yet looks like a leak; what is really held stays when the heap is small.
      memory('  … with its old space held to 80 MB', held.rssMb, null),
    ];
  },
};

interface Endured {
  readonly spans: { readonly received: number; readonly distinct: number };
  /** After each run. */
  readonly rssMb: readonly number[];
}

function endure(environment: Readonly<Record<string, string>>): Promise<Endured> {
  return withTracedService(async (service, receiver) => {
    const rssMb: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await service.run(`/bench/sleep?strategy=async&ms=20&tasks=${tasks}`);
      rssMb.push(residentMb(service.pid));
    }
    return { spans: await receiver.taskSpans(runs * tasks), rssMb };
  }, environment);
}

function spansLost({ received, distinct }: Endured['spans']): Figure {
  const lost = runs * tasks - distinct;
  return {
    name: `task spans lost of ${runs} runs × ${tasks} tasks`,
    unit: 'spans',
    measured: lost,
    spread: { least: lost, most: lost },
    atMost: 0,
    note: `${received} received, ${received - distinct} of them twice`,
    samples: { 'received spans': [received], 'distinct spans': [distinct] },
  };
}

/** The last ten samples against the eleventh to twentieth: caches and the just-in-time compiler are warm by then. */
function memory(name: string, rssMb: readonly number[], atMost: number | null): Figure {
  const [warm, last] = [rssMb.slice(10, 20), rssMb.slice(-10)];
  const perRunKb = slope(rssMb.slice(10)) * 1024;
  return {
    name,
    unit: '×',
    measured: median(last) / median(warm),
    spread: spreadOf(last.map((sample) => sample / median(warm))),
    atMost,
    note: `${median(last).toFixed(0)} of ${median(warm).toFixed(0)} MB, ${perRunKb.toFixed(0)} kB a run`,
    samples: { 'resident MB': rssMb },
  };
}

/** Linux and macOS. */
function residentMb(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
