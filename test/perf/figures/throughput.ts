import { setTimeout as wait } from 'node:timers/promises';
import { tracingTo } from '../../support/service.ts';
import { ClosedLoop, type Loaded } from '../closed-loop.ts';
import { startConstantServer } from '../constant.ts';
import { ratio, type Compared, type Figure, type FigureGroup } from '../figure.ts';
import { startReceiver } from '../receiver.ts';
import { interleave, way, type Way } from '../rounds.ts';
import { median } from '../statistics.ts';
import { withService, withTracedService } from '../with-service.ts';

const path = '/bench/sleep?strategy=async&ms=0&tasks=1';
/**
 * As many requests at once as the service takes without turning one away: half of them run, the others wait for a place. With
 * fewer it is idle now and then, while all runs wait for the millisecond that a timer takes at least.
 */
const connections = 32;
/** Of each in turn: V8 shrinks the heap of a process that allocates little for five seconds, and none waits so long. */
const roundMs = 1_500;
/** Twenty seconds of load each: the service gets faster for the first fifteen. */
const mostWarmups = 14;
/** So that what one has left to do, such as sending spans, is not done while the next is measured. */
const pauseMs = 800;

/**
 * How many of the smallest runs the service does, beside the same Express with the same instrumentation that only answers,
 * and beside itself without tracing. Time an answer, so less is better: 0.5 of the throughput is twice the time.
 */
export const throughput: FigureGroup = {
  name: 'throughput',
  measure: (settings) =>
    withTracedService(
      (traced) =>
        withService(async (untraced) => {
          const receiver = await startReceiver(unread);
          const answer = (await traced.get(path)).text;
          const constant = await startConstantServer(answer, {
            ...tracingTo(receiver.url),
            ...asUsersHaveIt,
          });
          const plainConstant = await startConstantServer(answer, { OTEL_TRACES_EXPORTER: 'none' });
          const loopAt = ({ url }: { readonly url: string }) => new ClosedLoop(url, path, connections);
          const loops = [loopAt(traced), loopAt(untraced), loopAt(constant), loopAt(plainConstant)] as const;
          const tracing = loading('tracing', loops[0]);
          const plain = loading('no tracing', loops[1]);
          const least = loading('constant', loops[2]);
          const plainLeast = loading('constant, no tracing', loops[3]);
          try {
            await interleave([tracing, plain, least, plainLeast], {
              ...settings,
              warmups: Math.min(mostWarmups, settings.warmups),
            });
            return [
              compared('sleep ms=0, time a run / the same Express answering a constant', tracing, least, 2),
              ratio('  … p99 of the answers', longestOf(tracing), longestOf(least), 3),
              compared('  … without tracing', plain, least, null),
              compared('sleep ms=0, time a run with tracing / without', tracing, plain, 1.25),
              compared('  … the constant with tracing / without', least, plainLeast, null),
            ];
          } finally {
            await Promise.all(loops.map((loop) => loop.close()));
            await Promise.all([constant.stop(), plainConstant.stop()]);
            await receiver.stop();
          }
        }),
      asUsersHaveIt,
      unread,
    ),
};

/** A collector is elsewhere: what it does with spans must not take the cores from the service that sends them. */
const unread = 'discard';
/** Spans go out as often as they do by default, not as tests want them. */
const asUsersHaveIt = { OTEL_BSP_SCHEDULE_DELAY: '500' };

function loading(name: string, loop: ClosedLoop): Way<Loaded> {
  return way(name, async () => {
    const loaded = await loop.during(roundMs);
    await wait(pauseMs);
    return loaded;
  });
}

function compared(name: string, one: Way<Loaded>, base: Way<Loaded>, atMost: number | null): Figure {
  const figure = ratio(name, timesOf(one), timesOf(base), atMost);
  return { ...figure, note: `${perSecond(one)} of ${perSecond(base)} a second` };
}

function timesOf({ name, samples }: Way<Loaded>): Compared {
  return { name, samples: samples.map(({ msPerAnswer }) => msPerAnswer) };
}

function longestOf({ name, samples }: Way<Loaded>): Compared {
  return { name: `${name} p99`, samples: samples.map(({ p99Ms }) => p99Ms) };
}

function perSecond({ samples }: Way<Loaded>): number {
  return Math.round(1_000 / median(samples.map(({ msPerAnswer }) => msPerAnswer)));
}
