import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import {
  BatchLogRecordProcessor,
  ConsoleLogRecordExporter,
  SimpleLogRecordProcessor,
  type LogRecordExporter,
  type LogRecordProcessor,
  type ReadableLogRecord,
} from '@opentelemetry/sdk-logs';
import { logBatches, logExporterNames, sdkDisabled } from './environment.ts';
import { otlpWay } from './exporters.ts';
import type { Notices } from './notices.ts';
import { told } from './told-exporter.ts';

/**
 * Where log records go beside standard output, by `OTEL_SDK_DISABLED`, `OTEL_LOGS_EXPORTER` and the OTLP variables: by
 * default nowhere. What is not known is said as `unsupported_setting`.
 */
export function logProcessorsFromEnvironment(notices: Notices): LogRecordProcessor[] {
  const names = sdkDisabled() ? ['none'] : logExporterNames();
  if (names.includes('none')) return [];
  for (const name of names) {
    if (name === 'otlp' || name === 'console') continue;
    notices.unsupported('OTEL_LOGS_EXPORTER', name, 'otlp, console, none');
  }
  return [
    ...(names.includes('otlp')
      ? [new BatchLogRecordProcessor({ ...logBatches(), exporter: otlp(notices) })]
      : []),
    ...(names.includes('console')
      ? [new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() })]
      : []),
  ];
}

const otlpExporters = {
  'http/json': (config: { timeoutMillis?: number }): LogRecordExporter => new JsonExporter(config),
  'http/protobuf': (config: { timeoutMillis?: number }): LogRecordExporter => new ProtobufExporter(config),
  grpc: (config: { timeoutMillis?: number }): LogRecordExporter => new GrpcExporter(config),
};

function otlp(notices: Notices): LogRecordExporter {
  const { make, url, config } = otlpWay('LOGS', otlpExporters, notices);
  const sending = { what: 'logs', url, elsewhere: 'Standard output has them' } as const;
  return told<ReadableLogRecord[], LogRecordExporter>(make(config), sending, notices);
}
