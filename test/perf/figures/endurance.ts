import { spreadOf, type Figure, type FigureGroup } from '../figure.ts';
import { inspect, inspectable } from '../../support/inspected.ts';
import { residentMbOf } from '../../support/process-table.ts';
import { withTracedService } from '../with-service.ts';

const runs = 50;
const tasks = 1_000;

/** Many large runs, one straight after another: no span is lost, and what the service holds stays flat. */
export const endurance: FigureGroup = {
  name: 'endurance',
  async measure() {
    const { spans, heldMb, residentMb } = await endure();
    return [
      spansLost(spans),
      memory('memory that the service holds, after run 50 / after run 10', heldMb, 1.15),
      memory('  … with the garbage that V8 has not collected', residentMb, null),
    ];
  },
};

interface Endured {
  readonly spans: { readonly received: number; readonly distinct: number };
  /** Resident memory after every tenth run, once all garbage was collected. */
  readonly heldMb: readonly number[];
  /** The same just before. */
  readonly residentMb: readonly number[];
}

function endure(): Promise<Endured> {
  return withTracedService(async (service, receiver) => {
    const inspected = await inspect(service);
    const [heldMb, residentMb]: [number[], number[]] = [[], []];
    for (let run = 1; run <= runs; run += 1) {
      await service.run(`/bench/sleep?strategy=async&ms=20&tasks=${tasks}`);
      if (run % 10 !== 0) continue;
      residentMb.push(residentMbOf(service.pid));
      await receiver.taskSpans(run * tasks);
      await inspected.collectGarbage();
      heldMb.push(residentMbOf(service.pid));
    }
    inspected.close();
    return { spans: await receiver.taskSpans(runs * tasks), heldMb, residentMb };
  }, inspectable);
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

/** Ten runs first: caches and the just-in-time compiler are warm by then. */
function memory(name: string, samplesMb: readonly number[], atMost: number | null): Figure {
  const [warm = Number.NaN, last = Number.NaN] = [samplesMb[0], samplesMb.at(-1)];
  return {
    name,
    unit: '×',
    measured: last / warm,
    spread: spreadOf(samplesMb.map((sample) => sample / warm)),
    atMost,
    note: `${last.toFixed(0)} of ${warm.toFixed(0)} MB`,
    samples: { 'resident MB': samplesMb },
  };
}
