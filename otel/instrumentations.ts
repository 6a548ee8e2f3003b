import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { semantic } from './names.ts';
import { redactUrl } from './redaction.ts';

/** Requests to these paths, and below them, make no spans and count in no metric: they are the machinery's, not the user's. */
const silentPaths = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'];

/** One server span a request, named by its route. What the service itself calls is not instrumented: tasks are. */
export function serverInstrumentations(): [HttpInstrumentation, ExpressInstrumentation] {
  return [
    new HttpInstrumentation({
      disableOutgoingRequestInstrumentation: true,
      ignoreIncomingRequestHook: ({ url }) => isSilent(url ?? ''),
      // These win over the instrumentation's own, whose redaction knows only four names, by exact case.
      startIncomingSpanHook: redactedQuery,
    }),
    new ExpressInstrumentation({
      ignoreLayersType: [
        ExpressLayerType.MIDDLEWARE,
        ExpressLayerType.ROUTER,
        ExpressLayerType.REQUEST_HANDLER,
      ],
    }),
  ];
}

/** Event loop, garbage collection and heap of this process, as metrics. */
export function runtimeInstrumentation(): RuntimeNodeInstrumentation {
  return new RuntimeNodeInstrumentation();
}

/**
 * Loads what is instrumented, through `require`: the patches change the modules in place, so whoever imports them
 * later gets them patched, and no loader hook is needed.
 */
export function loadInstrumented(): void {
  const require = createRequire(import.meta.url);
  for (const name of ['node:http', 'express']) require(name);
}

function isSilent(target: string): boolean {
  const path = target.split('?', 1)[0] ?? '';
  return silentPaths.some((silent) => path === silent || path.startsWith(`${silent}/`));
}

function redactedQuery({ url }: IncomingMessage): Record<string, string> {
  const target = url ?? '';
  const mark = target.indexOf('?');
  const query = mark < 0 ? '' : redactUrl(target.slice(mark)).slice(1);
  return query === '' ? {} : { [semantic.urlQuery]: query };
}
