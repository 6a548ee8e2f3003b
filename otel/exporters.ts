import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ConsoleSpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace';
import {
  defaultExporterTimeoutMs,
  otlpEndpoint,
  otlpProtocol,
  sdkDisabled,
  traceExporterNames,
  type Signal,
} from './environment.ts';
import type { Notices } from './notices.ts';

/** Where spans go, by `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER` and the OTLP variables. */
export interface Exporters {
  /** `null`: spans go to no collector. */
  readonly otlp: { readonly exporter: SpanExporter; readonly url: string } | null;
  readonly console: SpanExporter | null;
}

/** What is asked for and not known is said as `unsupported_setting`, and OpenTelemetry's default taken. */
export function exportersFromEnvironment(notices: Notices): Exporters {
  const names = sdkDisabled() ? ['none'] : traceExporterNames();
  if (names.includes('none')) return { otlp: null, console: null };
  for (const name of names) {
    if (name === 'otlp' || name === 'console') continue;
    notices.unsupported('OTEL_TRACES_EXPORTER', name, 'otlp, console, none');
  }
  return {
    otlp: names.includes('otlp') || !names.includes('console') ? otlp(notices) : null,
    console: names.includes('console') ? new ConsoleSpanExporter() : null,
  };
}

const otlpExporters = {
  'http/json': (config: { timeoutMillis?: number }) => new JsonExporter(config),
  'http/protobuf': (config: { timeoutMillis?: number }) => new ProtobufExporter(config),
  grpc: (config: { timeoutMillis?: number }) => new GrpcExporter(config),
} as const;

function otlp(notices: Notices): NonNullable<Exporters['otlp']> {
  const { make, url, config } = otlpWay('TRACES', otlpExporters, notices);
  return { exporter: make(config), url };
}

/** What to send a signal with, by the OTLP variables. A protocol that is not known is said, and JSON taken. */
export function otlpWay<Make>(
  signal: Signal,
  makers: Readonly<Record<'http/json' | 'http/protobuf' | 'grpc', Make>>,
  notices: Notices,
): { readonly make: Make; readonly url: string; readonly config: { readonly timeoutMillis?: number } } {
  const asked = otlpProtocol(signal);
  const known = isProtocol(asked);
  if (!known) notices.unsupported('OTEL_EXPORTER_OTLP_PROTOCOL', asked, Object.keys(makers).join(', '));
  const protocol = known ? asked : 'http/json';
  const timeoutMillis = defaultExporterTimeoutMs(signal);
  return {
    make: makers[protocol],
    url: otlpEndpoint(signal, protocol),
    config: timeoutMillis === undefined ? {} : { timeoutMillis },
  };
}

function isProtocol(name: string): name is keyof typeof otlpExporters {
  return Object.hasOwn(otlpExporters, name);
}
