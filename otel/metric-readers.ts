import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import {
  ConsoleMetricExporter,
  PeriodicExportingMetricReader,
  type MetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { metricExporterNames, prometheusAddress, pushInterval, sdkDisabled } from './environment.ts';
import { otlpWay } from './exporters.ts';
import type { Notices } from './notices.ts';
import { Scrape } from './scrape.ts';
import { told } from './told-exporter.ts';

/** Who reads the metrics, by `OTEL_SDK_DISABLED`, `OTEL_METRICS_EXPORTER` and the OTLP variables. */
export interface MetricReaders {
  readonly all: MetricReader[];
  /** Reads them for `GET /metrics`; `null` with `none`. */
  readonly scrape: Scrape | null;
}

/**
 * With `none` there are no metrics. Else they can be scraped, which costs nothing while nobody does, and are pushed in
 * addition where `otlp` or `console` is asked for. What is not known is said as `unsupported_setting`.
 */
export function metricReadersFromEnvironment(notices: Notices): MetricReaders {
  const names = sdkDisabled() ? ['none'] : metricExporterNames();
  if (names.includes('none')) return { all: [], scrape: null };
  for (const name of names) {
    if (name === 'otlp' || name === 'console' || name === 'prometheus') continue;
    notices.unsupported('OTEL_METRICS_EXPORTER', name, 'prometheus, otlp, console, none');
  }
  const address = prometheusAddress();
  if (address !== null)
    notices.unsupported(
      address.variable,
      address.value,
      "no value: metrics are at the service's own /metrics",
    );
  const pushed = [
    ...(names.includes('otlp') ? [otlp(notices)] : []),
    ...(names.includes('console') ? [new ConsoleMetricExporter()] : []),
  ];
  const scrape = new Scrape();
  const readers = pushed.map(
    (exporter) => new PeriodicExportingMetricReader({ exporter, ...pushInterval() }),
  );
  return { all: [scrape.reader, ...readers], scrape };
}

const otlpExporters = {
  'http/json': (config: { timeoutMillis?: number }): PushMetricExporter => new JsonExporter(config),
  'http/protobuf': (config: { timeoutMillis?: number }): PushMetricExporter => new ProtobufExporter(config),
  grpc: (config: { timeoutMillis?: number }): PushMetricExporter => new GrpcExporter(config),
};

function otlp(notices: Notices): PushMetricExporter {
  const { make, url, config } = otlpWay('METRICS', otlpExporters, notices);
  const sending = { what: 'metrics', url, elsewhere: 'GET /metrics has them' } as const;
  return told<ResourceMetrics, PushMetricExporter>(make(config), sending, notices);
}
