import type { Behaviour } from '../../support/otlp-receiver.ts';
import { startService, tracingTo } from '../../support/service.ts';
import { ratio, type Compared, type FigureGroup } from '../figure.ts';
import { startReceiver } from '../receiver.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { TimedClient } from '../timed-client.ts';

const path = '/bench/sleep?strategy=async&ms=5&tasks=20';
/** A sample is so many runs, one after another. */
const runs = 20;
/** A queue that is full within a sample before a collector that is not well; `dawdle` answers later than half the timeout. */
const settings = {
  OTEL_BSP_MAX_QUEUE_SIZE: '400',
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '100',
  OTEL_EXPORTER_OTLP_TIMEOUT: '700',
};
const nobody = 'http://127.0.0.1:9';

/** What runs take at the client beside a collector that is not well, against one that is. */
export const collector: FigureGroup = {
  name: 'collector',
  async measure(measuring) {
    const accepting = await beside('accepts', 'accept');
    const others = [
      await beside('is away', null),
      await beside('refuses', 'refuse'),
      await beside('never answers', 'hang'),
      await beside('answers late', 'dawdle'),
    ];
    const all = [accepting, ...others];
    try {
      await interleave(
        all.map(({ way: one }) => one),
        measuring,
      );
      return others.map(({ way: one }) =>
        ratio(`runs while the collector ${one.name} / accepts`, timesOf(one), timesOf(accepting.way), 1.05),
      );
    } finally {
      await Promise.all(all.map((one) => one.stop()));
    }
  },
};

/** @param behaviour `null`: nobody listens there */
async function beside(
  name: string,
  behaviour: Behaviour | null,
): Promise<{ readonly way: Way<number>; stop(): Promise<void> }> {
  const receiver = behaviour === null ? null : await startReceiver(behaviour);
  const service = await startService({ ...tracingTo(receiver?.url ?? nobody), ...settings });
  const client = new TimedClient(service.url);
  return {
    way: way(name, async () => {
      let wallMs = 0;
      for (let run = 0; run < runs; run += 1) wallMs += (await client.run(path)).wallMs;
      return wallMs / runs;
    }),
    async stop() {
      client.close();
      await service.stop();
      await receiver?.stop();
    },
  };
}

function timesOf({ name, samples }: Way<number>): Compared {
  return { name, samples };
}
