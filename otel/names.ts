/** `service.name` unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` say otherwise. */
export const serviceName = 'fanout-bench';

/** The instrumentation scope of run, sign and task spans, and of log records. */
export const tracerName = 'fanout-bench';

/** The instrumentation scope of the metrics that are recorded here. */
export const meterName = 'fanout-bench';

/** Metrics of runs, tasks and the service. Durations are in seconds. */
export const benchMetric = {
  runDuration: 'bench.run.duration',
  /** The wait for admission, before the run's start. */
  runQueue: 'bench.run.queue',
  runParallelism: 'bench.run.parallelism',
  runEfficiency: 'bench.run.efficiency',
  taskDuration: 'bench.task.duration',
  taskQueue: 'bench.task.queue',
  taskPrepare: 'bench.task.prepare',
  runsInFlight: 'bench.runs.in_flight',
  runsWaiting: 'bench.runs.waiting',
  runsRejected: 'bench.runs.rejected',
  runnerRestarts: 'bench.runner.restarts',
  spansDropped: 'bench.spans.dropped',
} as const;

/**
 * OpenTelemetry's own metrics. The first three are recorded here, the others by instrumentation libraries. A test
 * compares them with OpenTelemetry's list.
 */
export const semanticMetric = {
  genAiDuration: 'gen_ai.client.operation.duration',
  genAiTimeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
  genAiTokenUsage: 'gen_ai.client.token.usage',
  serverDuration: 'http.server.request.duration',
  eventLoopDelayP99: 'nodejs.eventloop.delay.p99',
  eventLoopUtilization: 'nodejs.eventloop.utilization',
} as const;

/** `run s3 presigned-async` */
export function runSpanName(workload: string, strategy: string): string {
  return `run ${workload} ${strategy}`;
}

export const signSpanName = 'sign';

/** `task s3 3`, counted from 0. */
export function taskSpanName(workload: string, index: number): string {
  return `task ${workload} ${index}`;
}

/** `queue s3 3`: with `detail=phases`, the task's wait. */
export function queueSpanName(workload: string, index: number): string {
  return `queue ${workload} ${index}`;
}

/** `prepare s3 3`: with `detail=phases`, the making of what the task runs in. */
export function prepareSpanName(workload: string, index: number): string {
  return `prepare ${workload} ${index}`;
}

/** `compare s3` */
export function comparisonSpanName(workload: string): string {
  return `compare ${workload}`;
}

/** `round 3 presigned-async`, what stands for a run in its comparison's trace; `warmup presigned-async` before the first. */
export function roundSpanName(round: number, strategy: string): string {
  return round === 0 ? `warmup ${strategy}` : `round ${round} ${strategy}`;
}

/** The parts of an HTTP attempt, with `detail=phases`. */
export const phaseSpanNames = {
  dns: 'dns',
  connect: 'connect',
  tls: 'tls',
  ttfb: 'ttfb',
  download: 'download',
} as const;

/** From a streamed answer's request to its first token, with `detail=phases`. */
export const firstTokenSpanName = 'first token';

/** Attributes of a run span. */
export const runAttribute = {
  id: 'bench.run.id',
  workload: 'bench.workload',
  strategy: 'bench.strategy',
  access: 'bench.access',
  tasks: 'bench.tasks',
  concurrency: 'bench.concurrency',
  pool: 'bench.pool',
  join: 'bench.join',
  client: 'bench.client',
  runtime: 'bench.runtime',
  target: 'bench.target',
  outcome: 'bench.outcome',
} as const;

/** Attributes of a comparison's spans, beside those of runs. */
export const comparisonAttribute = {
  id: 'bench.comparison.id',
  round: 'bench.comparison.round',
} as const;

/** Attributes of a task span. */
export const taskAttribute = {
  index: 'bench.task.index',
  state: 'bench.task.state',
  /** `false` on a task that never started; absent on all others. */
  started: 'bench.task.started',
  /** Whether its worker, isolate or client was there before its run. */
  reused: 'bench.task.reused',
  queueMs: 'bench.task.queue_ms',
  prepareMs: 'bench.task.prepare_ms',
  handBackMs: 'bench.task.hand_back_ms',
  dnsMs: 'bench.phase.dns_ms',
  connectMs: 'bench.phase.connect_ms',
  tlsMs: 'bench.phase.tls_ms',
  ttfbMs: 'bench.phase.ttfb_ms',
  downloadMs: 'bench.phase.download_ms',
  /** The upstream's own error code (`NoSuchKey`, `ECONNREFUSED`); OpenTelemetry has no name for it. */
  upstreamCode: 'bench.task.upstream_code',
} as const;

/**
 * OpenTelemetry's own names, spelled out: the runner labels tasks with them, and must not load OpenTelemetry's list.
 * A test compares them with it.
 */
export const semantic = {
  errorType: 'error.type',
  exceptionType: 'exception.type',
  exceptionMessage: 'exception.message',
  requestMethod: 'http.request.method',
  resendCount: 'http.request.resend_count',
  responseStatus: 'http.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  urlFull: 'url.full',
  urlQuery: 'url.query',
  processPid: 'process.pid',
  threadId: 'thread.id',
  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  s3Bucket: 'aws.s3.bucket',
  s3Key: 'aws.s3.key',
  genAiOperation: 'gen_ai.operation.name',
  genAiProvider: 'gen_ai.provider.name',
  genAiModel: 'gen_ai.request.model',
  genAiMaxTokens: 'gen_ai.request.max_tokens',
  genAiStream: 'gen_ai.request.stream',
  genAiFinishReasons: 'gen_ai.response.finish_reasons',
  genAiTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  genAiInputTokens: 'gen_ai.usage.input_tokens',
  genAiOutputTokens: 'gen_ai.usage.output_tokens',
  genAiInputMessages: 'gen_ai.input.messages',
  genAiOutputMessages: 'gen_ai.output.messages',
  genAiTokenType: 'gen_ai.token.type',
} as const;
