import type { Jaeger, JaegerSpan } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';

export type RunBody = Awaited<ReturnType<RunningService['run']>>;

/** A run's trace as Jaeger draws it. */
export interface Picture {
  readonly server: JaegerSpan;
  readonly run: JaegerSpan;
  readonly sign: JaegerSpan | null;
  /** By index. */
  readonly tasks: readonly JaegerSpan[];
  /** All of them, whatever they are. */
  readonly spans: readonly JaegerSpan[];
}

/** Reads a run's trace back, once it holds all the spans that the run must have, and `others` beside them. */
export async function pictureOf(jaeger: Jaeger, body: RunBody, others = 0): Promise<Picture> {
  const signs = body.signing === null ? 0 : 1;
  const atLeast = 2 + signs + body.tasks.length + others;
  const spans = await jaeger.trace(body.trace.traceId, { atLeast });
  return {
    server: only(spans, 'GET /bench/:workload'),
    run: only(spans, `run ${body.run.workload} ${body.run.strategy}`),
    sign: signs === 0 ? null : only(spans, 'sign'),
    tasks: body.tasks.map(({ index }) => only(spans, `task ${body.run.workload} ${index}`)),
    spans,
  };
}

/** A span's end, in microseconds since 1970. */
export function endUs({ startUs, durationUs }: JaegerSpan): number {
  return startUs + durationUs;
}

function only(spans: readonly JaegerSpan[], name: string): JaegerSpan {
  const [span, ...more] = spans.filter((one) => one.name === name);
  if (span !== undefined && more.length === 0) return span;
  throw new Error(
    `Of "${name}" there should be one: ${spans.map((one) => `${one.service} ${one.name}`).join(', ')}`,
  );
}
