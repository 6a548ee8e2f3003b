import { execFileSync } from 'node:child_process';
import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { median, slope } from '../statistics.ts';
import { withTracedService } from '../with-service.ts';

const runs = 50;
const tasks = 1_000;

/** Many large runs, one straight after another: no span is lost, and the service's memory stays flat. */
export const endurance: FigureGroup = {
  name: 'endurance',
  measure: () =>
    withTracedService(async (service, receiver) => {
      const rssMb: number[] = [];
      for (let run = 0; run < runs; run += 1) {
        await service.run(`/bench/sleep?strategy=async&ms=20&tasks=${tasks}`);
        rssMb.push(residentMb(service.pid));
      }
      return [spansLost(await receiver.taskSpans(runs * tasks)), memory(rssMb)];
    }),
};

function spansLost({ received, distinct }: { readonly received: number; readonly distinct: number }): Figure {
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
function memory(rssMb: readonly number[]): Figure {
  const [warm, last] = [rssMb.slice(10, 20), rssMb.slice(-10)];
  const perRunKb = slope(rssMb.slice(10)) * 1024;
  return {
    name: 'memory of the service, last 10 runs / runs 11-20',
    unit: '×',
    measured: median(last) / median(warm),
    spread: spreadOf(last.map((sample) => sample / median(warm))),
    atMost: 1.15,
    note: `${median(last).toFixed(0)} of ${median(warm).toFixed(0)} MB, ${perRunKb.toFixed(0)} kB a run`,
    samples: { 'resident MB': rssMb },
  };
}

/** Linux and macOS. */
function residentMb(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
