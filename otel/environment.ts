import {
  getBooleanFromEnv,
  getNumberFromEnv,
  getStringFromEnv,
  getStringListFromEnv,
} from '@opentelemetry/core';

/**
 * Where this service's defaults are not OpenTelemetry's: JSON to the collector, no metrics pushed (a plain Jaeger
 * refuses them), logs on standard output alone. Set in the environment, because the SDK reads it in places that take no option.
 */
const defaults = {
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_METRICS_EXPORTER: 'prometheus',
  OTEL_LOGS_EXPORTER: 'none',
} as const;

/** What is exported apart, as the variables' names have it. */
export type Signal = 'TRACES' | 'METRICS' | 'LOGS';

/** Sets the defaults where the user set nothing. To be called before the SDK is made. */
export function applyTelemetryDefaults(): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (getStringFromEnv(name) === undefined) process.env[name] = value;
  }
}

export function sdkDisabled(): boolean {
  return getBooleanFromEnv('OTEL_SDK_DISABLED') ?? false;
}

/** The names in `OTEL_TRACES_EXPORTER`; `['otlp']` when it is not set. */
export function traceExporterNames(): readonly string[] {
  const names = [...new Set(getStringListFromEnv('OTEL_TRACES_EXPORTER'))];
  return names.length === 0 ? ['otlp'] : names;
}

/** The names in `OTEL_METRICS_EXPORTER`. */
export function metricExporterNames(): readonly string[] {
  return [...new Set(getStringListFromEnv('OTEL_METRICS_EXPORTER') ?? [defaults.OTEL_METRICS_EXPORTER])];
}

/** The names in `OTEL_LOGS_EXPORTER`. */
export function logExporterNames(): readonly string[] {
  return [...new Set(getStringListFromEnv('OTEL_LOGS_EXPORTER') ?? [defaults.OTEL_LOGS_EXPORTER])];
}

/** Where OpenTelemetry's Prometheus exporter would listen by itself, if that is set. */
export function prometheusAddress(): { readonly variable: string; readonly value: string } | null {
  for (const variable of ['OTEL_EXPORTER_PROMETHEUS_HOST', 'OTEL_EXPORTER_PROMETHEUS_PORT']) {
    const value = getStringFromEnv(variable);
    if (value !== undefined) return { variable, value };
  }
  return null;
}

/** How often metrics are pushed, and how long that may take: OpenTelemetry's own defaults. */
export function pushInterval(): {
  readonly exportIntervalMillis: number;
  readonly exportTimeoutMillis: number;
} {
  const exportIntervalMillis = positive('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  const timeoutMillis = positive('OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000;
  // A longer timeout than interval is an error to the SDK.
  return { exportIntervalMillis, exportTimeoutMillis: Math.min(timeoutMillis, exportIntervalMillis) };
}

export function otlpProtocol(signal: Signal): string {
  return (
    getStringFromEnv(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ??
    getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL') ??
    defaults.OTEL_EXPORTER_OTLP_PROTOCOL
  ).trim();
}

/**
 * The exporter's own timeout in milliseconds, when the user set none. OpenTelemetry's 10 s would let a dead
 * collector hold every batch for that long.
 */
export function defaultExporterTimeoutMs(signal: Signal): number | undefined {
  return exporterTimeoutMs(signal) === undefined ? ownExporterTimeoutMs : undefined;
}

const ownExporterTimeoutMs = 5_000;

function exporterTimeoutMs(signal: Signal): number | undefined {
  return (
    getNumberFromEnv(`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`) ?? getNumberFromEnv('OTEL_EXPORTER_OTLP_TIMEOUT')
  );
}

/** Where a signal goes, for people and for trying whether anything listens there. Without user names and passwords. */
export function otlpEndpoint(signal: Signal, protocol: string): string {
  const specific = getStringFromEnv(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
  const general = getStringFromEnv('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (protocol === 'grpc') return withoutUser(specific ?? general) ?? 'http://localhost:4317';
  const path = `v1/${signal.toLowerCase()}`;
  return (
    withoutUser(specific) ??
    withoutUser(general === undefined ? undefined : `${general}${general.endsWith('/') ? '' : '/'}${path}`) ??
    `http://localhost:4318/${path}`
  );
}

function withoutUser(address: string | undefined): string | null {
  if (address === undefined) return null;
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (url === null) return null;
  url.username = '';
  url.password = '';
  return url.href;
}

/** How spans wait for the collector. */
export interface QueueLimits {
  /** Spans, waiting and being sent. */
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
  /** A collector that takes longer for a batch does not keep up: nobody waits for room. */
  readonly slowMillis: number;
}

/**
 * The batch processor's limits. Its own 2,048 spans are less than one run of 10,000 tasks leaves behind, and its
 * 5 s are long to someone who waits for a waterfall.
 */
export function queueLimits(): QueueLimits {
  const maxQueueSize = positive('OTEL_BSP_MAX_QUEUE_SIZE') ?? 50_000;
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(positive('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? 2_000, maxQueueSize),
    scheduledDelayMillis: getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY') ?? 500,
    exportTimeoutMillis: positive('OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000,
    slowMillis: (exporterTimeoutMs('TRACES') ?? ownExporterTimeoutMs) / 2,
  };
}

/** How log records are batched: OpenTelemetry's own defaults. */
export function logBatches(): Omit<QueueLimits, 'slowMillis'> {
  const maxQueueSize = positive('OTEL_BLRP_MAX_QUEUE_SIZE') ?? 2_048;
  return {
    maxQueueSize,
    maxExportBatchSize: Math.min(positive('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE') ?? 512, maxQueueSize),
    scheduledDelayMillis: getNumberFromEnv('OTEL_BLRP_SCHEDULE_DELAY') ?? 1_000,
    exportTimeoutMillis: positive('OTEL_BLRP_EXPORT_TIMEOUT') ?? 30_000,
  };
}

function positive(name: string): number | undefined {
  const value = getNumberFromEnv(name);
  return value !== undefined && value > 0 ? value : undefined;
}

/** How many attributes a span may have, and how long a text in them may be. */
export interface AttributeLimits {
  readonly attributeCountLimit: number;
  /** Characters. */
  readonly attributeValueLengthLimit: number;
}

/** The limits that the user set; `null` for none. Where one is not set it is OpenTelemetry's default. */
export function spanAttributeLimits(): AttributeLimits | null {
  const count = positive('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT') ?? positive('OTEL_ATTRIBUTE_COUNT_LIMIT');
  const length =
    positive('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? positive('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT');
  if (count === undefined && length === undefined) return null;
  return { attributeCountLimit: count ?? 128, attributeValueLengthLimit: length ?? Infinity };
}

/** The names in `OTEL_NODE_RESOURCE_DETECTORS`; `['all']` when it is not set. */
export function resourceDetectorNames(): readonly string[] {
  return getStringListFromEnv('OTEL_NODE_RESOURCE_DETECTORS') ?? ['all'];
}

/** Whether spans may hold what a model answered: by default they don't (OpenTelemetry, GenAI conventions). */
export function capturesContent(): boolean {
  return getBooleanFromEnv('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT') ?? false;
}
