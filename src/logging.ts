import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import { redactText } from '../otel/redaction.ts';

export type { Logger } from 'pino';

/** The service's log: readable lines on a terminal, JSON elsewhere. What signs or authorises is redacted in both. */
export function createLogger(level: string, terminal: boolean): Logger {
  const options = {
    level,
    base: null,
    hooks: {
      streamWrite: redactText,
    },
  };
  return terminal
    ? pino(
        options,
        pretty({
          colorize: true,
          // What the words say already, or nobody reads on a terminal.
          ignore:
            'pid,hostname,url,target,code,runId,trace_id,span_id,workload,strategy,outcome,status,durationMs',
          translateTime: 'HH:MM:ss',
          sync: true,
        }),
      )
    : pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime });
}
