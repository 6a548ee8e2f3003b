import { describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { failedRunSchema, runListSchema } from '../../src/http/schemas.ts';
import { outcomes, taskErrorCodes, type FailedTask } from '../../src/record/record.ts';
import { taskRecordSchema } from '../../src/record/schemas.ts';
import { okTask } from '../support/fixtures.ts';

describe('a record', () => {
  it.each(taskErrorCodes)('of a task that failed with %s is taken from a runner, and answered', (code) => {
    const { state: _, output: __, ...facts } = okTask(0);
    const error = { code, message: 'it failed', upstreamCode: null };
    const failed: FailedTask = { ...facts, state: 'failed', error };
    expect(taskRecordSchema.parse(failed)).toEqual(failed);
    expect(failedRunSchema.shape.tasks.element.shape.error.parse(error)).toEqual(error);
  });

  it.each(outcomes)('of a run that ended with %s is answered, and listed', (outcome) => {
    expect(failedRunSchema.shape.outcome.parse(outcome)).toBe(outcome);
    expect(runListSchema.shape.runs.element.shape.outcome.parse(outcome)).toBe(outcome);
  });

  it('of a run that ended with anything but ok, and was not given up, has the status of an error', () => {
    const ended = outcomes.filter((outcome) => outcome !== 'ok' && outcome !== 'cancelled');
    expect(Object.keys(errorTable)).toEqual(expect.arrayContaining(ended));
  });
});
