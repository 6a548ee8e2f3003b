import type { Notice } from '../otel/notices.ts';
import type { TargetSettings } from './aws/target.ts';
import type { Config } from './config.ts';
import { errorTable } from './errors.ts';
import type { Logger } from './logging.ts';
import { nsToMs, roundedMs } from './record/clock.ts';
import type { Outcome, RunRecord } from './record/record.ts';

/** Starts a Jaeger that takes what the service sends, with its pages at http://localhost:16686. */
const jaegerCommand =
  'docker run --rm -p 16686:16686 -p 4318:4318 cr.jaegertracing.io/jaegertracing/jaeger:2.13.0';

/** Tells a newcomer what there is and what to try. */
export function announce(
  log: Logger,
  config: Config,
  url: string,
  target: TargetSettings,
  collectorUrl: string | null,
): void {
  // Of all addresses, which are none to ask at, one is always this machine's loopback.
  const base = url.replace(/^http:\/\/(?:127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?=:|$)/, 'localhost');
  for (const { code, message } of config.warnings) log.warn({ code }, message);
  log.info({ url }, `Listening on ${url}`);
  log.info({ target: target.name }, `Target: ${targetText(target)}`);
  log.info(
    collectorUrl === null ? 'Traces are sent nowhere, as OTEL_* says' : `Traces go to ${collectorUrl}`,
  );
  const paths = target.s3.bucket === null ? withoutS3 : withS3;
  for (const path of paths) log.info(`Try: curl '${base}${path}'`);
}

const withS3 = [
  '/bench/s3?strategy=presigned-async',
  '/bench/s3?strategy=sdk-single',
  '/bench/fib?strategy=isolate-threads&n=32',
];
const withoutS3 = [
  '/bench/fib?strategy=single&n=32',
  '/bench/fib?strategy=isolate-threads&n=32',
  '/bench/sleep?strategy=threads&ms=100',
];

function targetText({ name, endpoints, s3, region }: TargetSettings): string {
  if (name === 'emulator')
    return `emulator at ${endpoints.s3} (no AWS account needed; set TARGET=aws for AWS)`;
  const place = `aws in ${region}${endpoints.s3 === null ? '' : ` at ${endpoints.s3}`}`;
  return s3.bucket === null ? `${place}; S3_BUCKET is not set, so s3 is not configured` : place;
}

/** What telemetry has to say, with the way out. */
export function tellNotice(log: Logger, { level, code, message }: Notice): void {
  const wayOut = code === 'collector_unreachable' ? ` To start Jaeger: ${jaegerCommand}` : '';
  log[level]({ code }, message + wayOut);
}

/** What is a fault of the service itself. */
export function tellFault(log: Logger, error: unknown): void {
  log.error({ err: error }, 'The service failed.');
}

/** One line a run, with what leads to its trace. `status` is its answer's; a client that went away got none. */
export function tellRun(log: Logger, { id, plan, outcome, startedAtNs, endedAtNs, trace }: RunRecord): void {
  const { workload, strategy, tasks } = plan;
  const durationMs = roundedMs(nsToMs(endedAtNs - startedAtNs));
  const fields = {
    runId: id,
    trace_id: trace.traceId,
    span_id: trace.runSpanId,
    trace_flags: trace.sampled ? '01' : '00',
    workload,
    strategy,
    outcome,
    status: statusOf(outcome),
    durationMs,
  };
  log[levelOf(outcome)](fields, `${workload} ${strategy} ×${tasks}: ${outcome} in ${durationMs} ms`);
}

function statusOf(outcome: Outcome): number | null {
  if (outcome === 'ok') return 200;
  return outcome === 'cancelled' ? null : errorTable[outcome].status;
}

/** A process that died is the service's own trouble; what an upstream or a time limit did to a run is its caller's. */
function levelOf(outcome: Outcome): 'info' | 'warn' | 'error' {
  if (outcome === 'ok' || outcome === 'cancelled') return 'info';
  return outcome === 'runner_crashed' ? 'error' : 'warn';
}
