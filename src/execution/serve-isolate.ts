import workerpool from 'workerpool';
import { clockFrom } from '../record/clock.ts';
import { measureInIsolate } from './isolate-measure.ts';
import { announce, here, processCpuMs, unstoppable } from './serve.ts';
import { sender, type OpenHttp } from './tools.ts';
import { workMethod, type IsolateWorkOrder, type WorkReport } from './work-order.ts';

/** Serves tasks that run in an isolate of their own, from a worker process. */
export function serveIsolate(openHttp: OpenHttp | null): void {
  workerpool.worker({
    async [workMethod](order: IsolateWorkOrder): Promise<WorkReport> {
      const client = openHttp?.(order.settings) ?? null;
      const execution = await measureInIsolate({
        clock: clockFrom(order.originNs),
        place: client === null ? here : { ...here, threadId: null },
        traceparent: order.traceparent,
        source: order.source,
        input: order.input,
        send: client === null ? null : sender(client, order.settings, unstoppable),
        thread: client === null ? 'here' : 'own',
        signal: unstoppable,
        announce,
      });
      client?.close();
      return { ...execution, processCpuMs: processCpuMs() };
    },
  });
}
