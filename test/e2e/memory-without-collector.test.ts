import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exposition } from '../support/exposition.ts';
import { inspect, inspectable, type Inspected } from '../support/inspected.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { residentMbOf } from '../support/process-table.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';

/** What a service holds while nobody takes its spans. */
const tasks = 1_000;
/** More than fit into the queue, so that it is full and all the rest is dropped. */
const [runsBefore, runsAfter] = [40, 80];
/** A third of what the spans that are dropped between the two looks would take, were they kept. */
const mostMb = 40;

let receiver: OtlpReceiver;
let service: RunningService;
let inspected: Inspected;
beforeEach(async () => {
  receiver = await OtlpReceiver.listen();
  service = await startService({
    ...tracingTo(receiver.url),
    ...inspectable,
    OTEL_BSP_MAX_QUEUE_SIZE: '5000',
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    MAX_RUNS_KEPT: '5',
  });
  inspected = await inspect(service);
});
afterEach(async () => {
  inspected.close();
  await service.stop();
  await receiver.close();
});

describe('a collector that does not take spans', () => {
  it.each(['refuse', 'hang'] as const)(
    '(%s) costs no more memory the longer it does not',
    async (behaviour) => {
      receiver.behaviour = behaviour;
      const before = await residentMbAfter(runsBefore);
      const droppedBefore = await dropped();
      const after = await residentMbAfter(runsAfter);
      expect((await dropped()) - droppedBefore).toBeGreaterThan((runsAfter - 10) * tasks);
      expect(after - before).toBeLessThan(mostMb);
    },
  );
});

async function residentMbAfter(runs: number): Promise<number> {
  for (let run = 0; run < runs; run += 1) await service.run(`/bench/sleep?ms=0&tasks=${tasks}`);
  await inspected.collectGarbage();
  return residentMbOf(service.pid);
}

async function dropped(): Promise<number> {
  return new Exposition((await service.get('/metrics')).text).sum('bench_spans_dropped_total');
}
