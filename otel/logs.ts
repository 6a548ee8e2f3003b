import {
  ROOT_CONTEXT,
  SeverityNumber,
  TraceFlags,
  trace,
  type Attributes,
  type LogRecord,
  type Logger,
} from '@opentelemetry/api';
import { runAttribute, semantic } from './names.ts';

/** What pino writes its lines to. */
export interface LogStream {
  write(line: string): void;
}

/** Makes an OpenTelemetry log record of every line that pino writes. */
export function logStream(logger: Logger): LogStream {
  return { write: (line) => logger.emit(logRecordOf(line)) };
}

/**
 * A line of pino's as OpenTelemetry's logs data model has it: `trace_id`, `span_id` and `trace_flags` are the record's own,
 * the fields of a run have the names of its spans' attributes, an error those of an exception; other fields keep their names.
 */
export function logRecordOf(line: string): LogRecord {
  const {
    level,
    time,
    msg,
    trace_id: traceId,
    span_id: spanId,
    trace_flags: flags,
    err,
    ...fields
  } = fieldsOf(line);
  const severity = severities.find(([pinoLevel]) => typeof level === 'number' && level >= pinoLevel);
  return {
    ...(typeof time === 'string' || typeof time === 'number' ? { timestamp: new Date(time) } : {}),
    ...(severity === undefined ? {} : { severityNumber: severity[1], severityText: severity[2] }),
    body: typeof msg === 'string' ? msg : '',
    attributes: { ...renamed(fields), ...exceptionOf(err) },
    context:
      typeof traceId === 'string' && typeof spanId === 'string'
        ? trace.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId,
            traceFlags: flags === '01' ? TraceFlags.SAMPLED : TraceFlags.NONE,
          })
        : ROOT_CONTEXT,
  };
}

/** Pino's levels, highest first, and what OpenTelemetry calls them. */
const severities = [
  [60, SeverityNumber.FATAL, 'FATAL'],
  [50, SeverityNumber.ERROR, 'ERROR'],
  [40, SeverityNumber.WARN, 'WARN'],
  [30, SeverityNumber.INFO, 'INFO'],
  [20, SeverityNumber.DEBUG, 'DEBUG'],
  [10, SeverityNumber.TRACE, 'TRACE'],
] as const;

const attributeOfField: Readonly<Record<string, string>> = {
  runId: runAttribute.id,
  workload: runAttribute.workload,
  strategy: runAttribute.strategy,
  outcome: runAttribute.outcome,
  status: semantic.responseStatus,
  durationMs: 'bench.run.duration_ms',
};

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(line);
  return isObject(parsed) ? parsed : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function renamed(fields: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Attributes = {};
  for (const [field, value] of Object.entries(fields)) {
    if (value === null) continue;
    const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    attributes[attributeOfField[field] ?? field] = plain ? value : JSON.stringify(value);
  }
  return attributes;
}

/** As pino's standard serializer leaves an error. */
function exceptionOf(err: unknown): Attributes {
  if (!isObject(err)) return {};
  const { type, message, stack } = err;
  return {
    'exception.type': String(type),
    'exception.message': String(message),
    'exception.stacktrace': String(stack),
  };
}
