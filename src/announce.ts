import type { Notice } from '../otel/notices.ts';
import type { TargetSettings } from './aws/target.ts';
import type { Config } from './config.ts';
import type { Logger } from './logging.ts';
import type { RunRecord } from './record/record.ts';

/** Starts a Jaeger that takes what the service sends, with its pages at http://localhost:16686. */
export const jaegerCommand =
  'docker run --rm -p 16686:16686 -p 4318:4318 cr.jaegertracing.io/jaegertracing/jaeger:2.13.0';

/** Tells a newcomer what there is and what to try. */
export function announce(
  log: Logger,
  config: Config,
  url: string,
  target: TargetSettings,
  collectorUrl: string | null,
): void {
  const base = url.replace(/^http:\/\/(127\.0\.0\.1|\[::1\])/, 'localhost');
  for (const { code, message } of config.warnings) log.warn({ code }, message);
  log.info({ url }, `Listening on ${url}`);
  log.info({ target: target.name }, `Target: ${targetText(target)}`);
  log.info(collectorUrl === null ? 'Traces go nowhere (OTEL_*)' : `Traces go to ${collectorUrl}`);
  log.info(`Try: curl '${base}/bench/s3?strategy=presigned-async'`);
  log.info(`Try: curl '${base}/bench/s3?strategy=sdk-single'`);
  log.info(`Try: curl '${base}/bench/fib?strategy=isolate-threads&n=32'`);
}

function targetText({ name, s3, region }: TargetSettings): string {
  if (name === 'emulator')
    return `emulator at ${s3.endpoint} (no AWS account needed; set TARGET=aws for AWS)`;
  return `aws in ${region}${s3.endpoint === null ? '' : ` at ${s3.endpoint}`}`;
}

/** What telemetry has to say, with the way out. */
export function tellNotice(log: Logger, { level, code, message }: Notice): void {
  const advice = code === 'collector_unreachable' ? ` Start Jaeger with: ${jaegerCommand}` : '';
  log[level]({ code }, `${message}${advice}`);
}

/** One line a run. */
export function tellRun(log: Logger, { id, plan, outcome, startedAtNs, endedAtNs, trace }: RunRecord): void {
  const durationMs = Math.round((endedAtNs - startedAtNs) / 1e3) / 1e3;
  const fields = { runId: id, trace_id: trace.traceId, span_id: trace.runSpanId, outcome, durationMs };
  const level = outcome === 'ok' || outcome === 'cancelled' ? 'info' : 'warn';
  log[level](fields, `${plan.workload} ${plan.strategy} ×${plan.tasks}: ${outcome} in ${durationMs} ms`);
}
