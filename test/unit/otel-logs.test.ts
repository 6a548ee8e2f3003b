import { SeverityNumber, TraceFlags, trace } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { logRecordOf } from '../../otel/logs.ts';

it('makes an exception of an error, and keeps what has no name of its own', () => {
  const err = { type: 'TypeError', message: 'x is not a function', stack: 'TypeError: x\n at y' };
  const line = {
    level: 50,
    time: '2026-01-02T03:04:05.006Z',
    err,
    code: 'odd',
    list: [1],
    none: null,
    msg: 'No.',
  };
  const { context, ...record } = logRecordOf(JSON.stringify(line));
  expect(record).toEqual({
    timestamp: new Date('2026-01-02T03:04:05.006Z'),
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    body: 'No.',
    attributes: {
      code: 'odd',
      list: '[1]',
      'exception.type': 'TypeError',
      'exception.message': 'x is not a function',
      'exception.stacktrace': 'TypeError: x\n at y',
    },
  });
  expect(context && trace.getSpanContext(context)).toBeUndefined();
});

it.each([
  ['01', TraceFlags.SAMPLED],
  ['00', TraceFlags.NONE],
])('belongs to the trace that the line names, with its flags %s', (flags, traceFlags) => {
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const line = { level: 30, msg: 'x', trace_id: ids.traceId, span_id: ids.spanId, trace_flags: flags };
  const { context, attributes } = logRecordOf(JSON.stringify(line));
  expect(context && trace.getSpanContext(context)).toEqual({ ...ids, traceFlags });
  expect(attributes).toEqual({});
});

it.each([
  [10, SeverityNumber.TRACE],
  [20, SeverityNumber.DEBUG],
  [30, SeverityNumber.INFO],
  [35, SeverityNumber.INFO],
  [40, SeverityNumber.WARN],
  [60, SeverityNumber.FATAL],
])('level %i is severity %i', (level, severity) => {
  expect(logRecordOf(JSON.stringify({ level })).severityNumber).toBe(severity);
});
