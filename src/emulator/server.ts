import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { trace } from '@opentelemetry/api';
import { emulateBedrock } from './bedrock.ts';
import { readBody } from './body.ts';
import { deliver } from './delivery.ts';
import { createFaultDraws } from './fault-draws.ts';
import { faultKindOf, type FaultKind } from './faults.ts';
import { headOf } from './head.ts';
import { attemptOf, drawLatencyMs, drawTokenPace, type LatencyModel } from './latency.ts';
import { emulatePages } from './pages.ts';
import { problemOf, tooLarge, unknownFault, unknownOperation, type Problem } from './problems.ts';
import { emulateS3 } from './s3.ts';
import type { Asked, EmulatedAnswer, EmulatedRequest, EmulatedService } from './service.ts';
import type { EmulatorSettings } from './settings.ts';
import { refusalOf } from './sigv4.ts';
import { emulateSts } from './sts.ts';

/** The emulated services behind one HTTP server. Add a service by adding its line. */
export function createEmulator(settings: Pick<EmulatorSettings, 'latencyMs' | 'seed' | 'faults'>): Server {
  const s3 = emulateS3();
  // The first that takes a request has it.
  const services: readonly EmulatedService[] = [emulateBedrock(), emulateSts(), emulatePages(), s3];
  const drawFault = createFaultDraws(settings.faults, settings.seed);

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const arrivedMs = performance.now();
    const head = headOf(incoming);
    const service = services.find((candidate) => candidate.takes(head)) ?? s3;
    const body = await readBody(incoming);
    const refuse = (problem: Problem): Promise<void> =>
      deliver(outgoing, { ...service.refuse(problem), readyMs: 0 }, null, arrivedMs);
    if (body === null) return refuse(tooLarge);
    const request = { ...head, body };
    const asked = service.identify(request);
    if (asked === null) return refuse(unknownOperation(head.method, head.path));
    // There is a span only where the emulator traces.
    trace.getActiveSpan()?.updateName(asked.operation).setAttributes(asked.attributes);
    const attempt = attemptOf(incoming.headers);
    const wanted = head.headers['x-fanout-fault'];
    const fault = wanted === undefined ? faultOf(service, asked, attempt) : faultKindOf(wanted);
    if (wanted !== undefined && (fault === null || !service.faults.includes(fault))) {
      return refuse(unknownFault(wanted, service.faults));
    }
    const refusal = await signatureRefusal(service, request);
    const slow = fault === 'slow' ? slowFactor : 1;
    const model = { ...settings, latencyMs: settings.latencyMs * slow };
    const answer = answerTo(service, asked, refusal ?? problemOf(fault), { model, attempt, fault });
    // What the emulator itself takes is part of the draw, or its load would change what strategies compete on.
    const latencyMs = drawLatencyMs(model, asked.family, asked.key, attempt);
    const timed = { ...answer, readyMs: answer.readyMs ?? latencyMs };
    // Who may not ask is told so, whatever else is to go wrong.
    await deliver(outgoing, timed, refusal === null ? fault : null, arrivedMs);
  }

  function faultOf(service: EmulatedService, asked: Asked, attempt: number): FaultKind | null {
    // Faults are about objects: a listing that broke would leave no task to fail.
    if (asked.operation.startsWith('List')) return null;
    return drawFault({ operation: asked.operation, key: asked.key, attempt, kinds: service.faults });
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) =>
      outgoing.destroy(error instanceof Error ? error : undefined),
    );
  });
  // Longer than any client keeps its sockets, so that none is closed under a request.
  server.keepAliveTimeout = 120_000;
  return server;
}

const slowFactor = 10;

async function signatureRefusal(
  { signingName }: EmulatedService,
  request: EmulatedRequest,
): Promise<Problem | null> {
  return signingName === null ? null : refusalOf(request, signingName, Date.now(), request.body);
}

function answerTo(
  service: EmulatedService,
  asked: Asked,
  problem: Problem | null,
  how: { readonly model: LatencyModel; readonly attempt: number; readonly fault: FaultKind | null },
): EmulatedAnswer {
  if (problem !== null) return service.refuse(problem);
  const { model, attempt, fault } = how;
  return asked.answer({ pace: drawTokenPace(model, asked.family, asked.key, attempt), fault });
}
