import { describe, expect, it } from 'vitest';
import { codeIn, errorCodes, failureCodes, noAnswerCode, noAnswerCodes } from '../../deploy/k6/codes.ts';
import { errorTable } from '../../src/errors.ts';
import { pretty } from '../../src/http/problem.ts';

/** What the load tests call what became of a request; their scripts run elsewhere and import nothing of the service. */
describe('the codes that load tests count by', () => {
  it('are those of the table of errors', () => {
    expect([...errorCodes].toSorted()).toEqual(Object.keys(errorTable).toSorted());
  });

  it('are read of an answer as the service writes it', () => {
    for (const code of errorCodes) expect(codeIn(pretty({ status: 400, code, detail: '' }))).toBe(code);
  });

  it('are another where the answer is of somebody else', () => {
    for (const body of ['', '<html>', '{"code": "teapot"}']) expect(codeIn(body)).toBe('other');
  });

  it('are those of k6 where there is no answer', () => {
    expect([1212, 1050, 1000].map(noAnswerCode)).toEqual(['connection_refused', 'timed_out', 'unanswered']);
  });

  it('are all counted, each by a metric with a name that k6 takes', () => {
    expect(new Set(failureCodes).size).toBe(failureCodes.length);
    expect(failureCodes).toEqual(expect.arrayContaining([...errorCodes, 'other', ...noAnswerCodes]));
    for (const code of failureCodes) expect(`first_failure_${code}`).toMatch(/^\w{1,128}$/u);
  });
});
