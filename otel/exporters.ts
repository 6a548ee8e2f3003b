import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ConsoleSpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace';
import {
  defaultExporterTimeoutMs,
  sdkDisabled,
  traceExporterNames,
  tracesEndpoint,
  tracesProtocol,
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
    unsupported(notices, 'OTEL_TRACES_EXPORTER', name, 'otlp, console, none');
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

type Protocol = keyof typeof otlpExporters;

function otlp(notices: Notices): NonNullable<Exporters['otlp']> {
  const asked = tracesProtocol();
  const known = isProtocol(asked);
  if (!known)
    unsupported(notices, 'OTEL_EXPORTER_OTLP_PROTOCOL', asked, Object.keys(otlpExporters).join(', '));
  const protocol = known ? asked : 'http/json';
  const timeoutMillis = defaultExporterTimeoutMs();
  return {
    exporter: otlpExporters[protocol](timeoutMillis === undefined ? {} : { timeoutMillis }),
    url: tracesEndpoint(protocol),
  };
}

function isProtocol(name: string): name is Protocol {
  return Object.hasOwn(otlpExporters, name);
}

function unsupported(notices: Notices, variable: string, value: string, allowed: string): void {
  const message = `${variable}: "${value}" is not supported and ignored; it takes ${allowed}.`;
  notices.say({ level: 'warn', code: 'unsupported_setting', message });
}
