import { betweenMs, nsToMs } from '../../record/clock.ts';
import type { RunRecord } from '../../record/record.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { analyse } from '../analysis.ts';
import type { Sample } from './comparison.ts';

/** Warnings of a run that say that something disturbed it. */
const disturbing = new Set(['runs_in_flight', 'event_loop_saturated', 'spans_dropped']);

/** What a comparison keeps of a run. @param stolen milliseconds for which other machines had this one's cores meanwhile */
export function sampleOf(
  record: RunRecord,
  round: number,
  work: WorkloadDeclaration['work'],
  stolenMs: number,
): Sample {
  const { id, outcome, startedAtNs, endedAtNs, fanOutStartedAtNs, runner, trace, warnings } = record;
  const isOk = outcome === 'ok';
  return {
    round,
    outcome,
    durationMs: isOk ? nsToMs(endedAtNs - startedAtNs) : null,
    fanOutMs: isOk ? betweenMs(fanOutStartedAtNs, endedAtNs) : null,
    runId: id,
    traceId: trace.traceId,
    cpuMs: runner.cpuMs,
    analysis: analyse(record, work),
    disturbances: [
      ...warnings.filter(({ code }) => disturbing.has(code)),
      ...(stolenMs > 0
        ? [{ code: 'steal_time', message: `Other machines had this one's cores for ${stolenMs} ms.` }]
        : []),
    ],
  };
}
