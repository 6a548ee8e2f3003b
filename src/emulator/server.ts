import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace, type Attributes } from '@opentelemetry/api';
import { semantic } from '../../otel/names.ts';
import { faultFor, type FaultKind } from './faults.ts';
import { drawLatencyMs } from './latency.ts';
import { emulateS3 } from './s3.ts';
import type { Asked, EmulatedAnswer, EmulatedRequest } from './service.ts';
import type { EmulatorSettings } from './settings.ts';
import { refusalOf } from './sigv4.ts';

/** The emulated services behind one HTTP server. Add a service by adding its line. */
export function createEmulator(
  settings: Pick<EmulatorSettings, 'latencyMs' | 'seed' | 'faults'>,
): Server {
  const services = [emulateS3()];

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    const request = toRequest(incoming);
    const [service, asked] = services
      .map((candidate) => [candidate, candidate.identify(request)] as const)
      .find(([, found]) => found !== null) ?? [services[0], null];
    if (service === undefined || asked === null) {
      return send(outgoing, { status: 501, headers: {}, body: new Uint8Array() }, null, arrivedMs);
    }
    // There is a span only where the emulator traces.
    trace.getActiveSpan()?.updateName(asked.operation).setAttributes(attributesOf(asked));
    const fault = faultFor(settings.faults, asked.key);
    if (fault === 'stall') return;
    await sleep(drawLatencyMs(settings, asked.operation, asked.key, attemptOf(incoming)));
    if (fault === 'reset') return void outgoing.destroy();
    const refusal = await refusalOf(request, service.name, Date.now());
    const answer =
      refusal !== null
        ? service.refuse(refusal.code === 'AuthorizationHeaderMalformed' ? 400 : 403, refusal.code, refusal.message)
        : fault === 'error'
          ? service.refuse(500, 'InternalError', 'We encountered an internal error. Please try again.')
          : service.answer(request, asked);
    send(outgoing, answer, fault, arrivedMs);
  }

  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    serve(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  // Longer than any client keeps its sockets, so that none is closed under a request.
  server.keepAliveTimeout = 120_000;
  return server;
}

function attributesOf({ operation, bucket, key }: Asked): Attributes {
  return { [semantic.rpcMethod]: `S3/${operation}`, [semantic.s3Bucket]: bucket, [semantic.s3Key]: key };
}

function toRequest({ method = 'GET', url = '/', headers }: IncomingMessage): EmulatedRequest {
  const [path = '/', query = ''] = url.split('?', 2);
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

/** Which attempt a request is, as the SDK says; a plain client's is the first. */
function attemptOf({ headers }: IncomingMessage): number {
  return Number(/attempt=(\d+)/.exec(String(headers['amz-sdk-request'] ?? ''))?.[1] ?? 1);
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
