import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { faultFor, type FaultKind } from './faults.ts';
import { attemptOf, drawLatencyMs } from './latency.ts';
import { emulateS3 } from './s3.ts';
import type { Asked, EmulatedAnswer, EmulatedRequest, EmulatedService } from './service.ts';
import type { EmulatorSettings } from './settings.ts';
import { refusalOf } from './sigv4.ts';

/** The emulated services behind one HTTP server. Add a service by adding its line. */
export function createEmulator(settings: Pick<EmulatorSettings, 'latencyMs' | 'seed' | 'faults'>): Server {
  const s3 = emulateS3();
  const services: readonly EmulatedService[] = [s3];

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    const request = toRequest(incoming);
    const found = identified(services, request);
    if (found === null) {
      const { method, path } = request;
      const answer = s3.refuse(501, 'NotImplemented', `The emulator has no operation for ${method} ${path}`);
      return send(outgoing, answer, null, arrivedMs);
    }
    const { service, asked } = found;
    // There is a span only where the emulator traces.
    trace.getActiveSpan()?.updateName(asked.operation).setAttributes(asked.attributes);
    // Faults are about objects: a listing that broke would leave no task to fail.
    const fault = asked.operation.startsWith('List') ? null : faultFor(settings.faults, asked.key);
    if (fault === 'stall') return;
    const refusal =
      (await refusalOf(request, service.name, Date.now())) ?? (fault === 'error' ? failure : null);
    const answer =
      refusal === null ? asked.answer() : service.refuse(refusal.status, refusal.code, refusal.message);
    // What the emulator itself takes is part of the draw, or its load would change what strategies compete on.
    const latencyMs = drawLatencyMs(settings, asked.operation, asked.key, attemptOf(incoming.headers));
    await sleep(Math.max(0, latencyMs - (performance.now() - arrivedMs)));
    if (fault === 'reset') return void outgoing.destroy();
    send(outgoing, answer, fault, arrivedMs);
  }

  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    serve(incoming, outgoing).catch((error: unknown) =>
      outgoing.destroy(error instanceof Error ? error : undefined),
    );
  });
  // Longer than any client keeps its sockets, so that none is closed under a request.
  server.keepAliveTimeout = 120_000;
  return server;
}

/** What the fault `error` answers. */
const failure = {
  status: 500,
  code: 'InternalError',
  message: 'We encountered an internal error. Please try again.',
} as const;

function identified(
  services: readonly EmulatedService[],
  request: EmulatedRequest,
): { readonly service: EmulatedService; readonly asked: Asked } | null {
  for (const service of services) {
    const asked = service.identify(request);
    if (asked !== null) return { service, asked };
  }
  return null;
}

function toRequest({ method = 'GET', url = '/', headers }: IncomingMessage): EmulatedRequest {
  const mark = url.indexOf('?');
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  return {
    method,
    path,
    // A literal plus is a plus here, not a space.
    query: new URLSearchParams(query.replaceAll('+', '%2B')),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
    ),
  };
}

function send(
  outgoing: ServerResponse,
  { status, headers, body }: EmulatedAnswer,
  fault: FaultKind | null,
  arrivedMs: number,
): void {
  outgoing.writeHead(status, {
    ...headers,
    'content-length': body.byteLength,
    'server-timing': `total;dur=${(performance.now() - arrivedMs).toFixed(3)}`,
  });
  if (outgoing.req.method === 'HEAD') return void outgoing.end();
  if (fault === 'truncate' && status === 200) {
    return void outgoing.write(body.subarray(0, body.byteLength / 2), () => outgoing.destroy());
  }
  outgoing.end(fault === 'corrupt' && status === 200 ? oneByteChanged(body) : body);
}

function oneByteChanged(body: Uint8Array): Uint8Array {
  const middle = body.byteLength >> 1;
  return body.with(middle, (body[middle] ?? 0) ^ 0xff);
}
