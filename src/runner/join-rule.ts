import type { RunPlan } from '../record/plan.ts';
import type { WorkloadDeclaration } from '../workloads/declaration.ts';
import { failed, type TaskResult } from '../workloads/task.ts';
import { loadValidator } from './validators.ts';

/** When a run is done, and what its tasks' results count as. */
export interface JoinRule {
  /** An answer that is wrong or not valid is a failed task where the join depends on it. */
  judge(result: TaskResult): TaskResult;
  /** Whether the first task that is ok ends the run. */
  readonly endsWithFirst: boolean;
  /** `null`: tasks begin as slots are free. Else the next one begins when none has answered for so long. */
  readonly hedgeAfterMs: number | null;
}

/** The rule of a plan. Loads what it checks answers with, before the run starts. */
export async function joinRuleOf(
  { join, hedgeAfterMs, validate, params }: RunPlan,
  { check }: Pick<WorkloadDeclaration, 'check'>,
): Promise<JoinRule> {
  // Where every task counts the service checks results, after the run.
  if (join === 'all') return { judge: (result) => result, endsWithFirst: false, hedgeAfterMs };
  const whyInvalid = validate === null ? null : await loadValidator(validate);
  const judge = (result: TaskResult): TaskResult => {
    if (result.state === 'failed') return result;
    const wrong = check(result.output, params);
    if (wrong !== null) return failed(wrong);
    const reason = whyInvalid?.(result.output) ?? null;
    return reason === null
      ? result
      : failed({ ...invalidAnswer, message: `the answer is not valid: ${reason}` });
  };
  return { judge, endsWithFirst: true, hedgeAfterMs };
}

const invalidAnswer = { code: 'invalid_answer', upstreamCode: null } as const;
