import workerpool from 'workerpool';
import { clockFrom } from '../record/clock.ts';
import { measureInIsolate } from './isolate-measure.ts';
import { IsolateSupply } from './isolate-supply.ts';
import { announce, here, processCpuMs, unstoppable } from './serve.ts';
import { sender, type HttpClient, type OpenHttp } from './tools.ts';
import { workMethod, type IsolateWorkOrder, type WorkReport } from './work-order.ts';

/** Serves tasks that run in an isolate, from a worker process, one at a time. */
export function serveIsolate(openHttp: OpenHttp | null): void {
  let kept: HttpClient | null = null;
  workerpool.worker({
    async [workMethod](order: IsolateWorkOrder): Promise<WorkReport> {
      const client = kept ?? openHttp?.(order.settings) ?? null;
      const thread = client === null ? 'here' : 'own';
      const execution = await measureInIsolate({
        clock: clockFrom(order.originNs),
        place: client === null ? here : { ...here, threadId: null },
        traceparent: order.traceparent,
        supply: new IsolateSupply(order.source, 'worker', thread, order.keep),
        input: order.input,
        send: client === null ? null : sender(client, order.settings, unstoppable),
        thread,
        signal: unstoppable,
        announce,
      });
      if (order.keep) kept = client;
      else client?.close();
      return { ...execution, processCpuMs: processCpuMs() };
    },
  });
}
