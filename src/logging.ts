import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { redactText } from '../otel/redaction.ts';

export type { Logger } from 'pino';

/**
 * The service's log: readable lines on a terminal, JSON elsewhere, and JSON for `also`. What signs or authorises is
 * redacted in all of them.
 */
export function createLogger(
  level: string,
  terminal: boolean,
  also: DestinationStream | null = null,
): Logger {
  const options = {
    level,
    base: null,
    hooks: {
      streamWrite: redactText,
    },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const stream = terminal ? forPeople() : pino.destination(1);
  // Of what the logger itself lets through, each takes all.
  return pino(options, also === null ? stream : pino.multistream([stream, also].map(takingAll)));
}

function takingAll(stream: DestinationStream): { stream: DestinationStream; level: 'trace' } {
  return { stream, level: 'trace' };
}

function forPeople(): DestinationStream {
  return pretty({
    colorize: true,
    // What the words say already, or nobody reads on a terminal.
    ignore:
      'pid,hostname,url,target,code,runId,trace_id,span_id,trace_flags,workload,strategy,outcome,status,durationMs',
    // From the line of a run to its waterfall.
    messageFormat: '{msg}{if trace_id} (trace {trace_id}){end}',
    translateTime: 'HH:MM:ss',
    sync: true,
  });
}
