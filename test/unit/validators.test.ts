import { describe, expect, it } from 'vitest';
import { emptyOutput } from '../support/fixtures.ts';
import { loadValidator } from '../../src/runner/validators.ts';

describe('an answer', () => {
  it.each([
    ['nonempty', 'something', true],
    ['nonempty', ' \n', false],
    ['json', '{"a": [1, 2]}', true],
    ['json', '```json\n{"a": 1}\n```', true],
    ['json', 'Here it is: {"a": 1}', false],
    ['json', '', false],
    ['sql', 'SELECT name FROM users WHERE id = 1;', true],
    ['sql', '```sql\nSELECT count(*) FROM orders GROUP BY day\n```', true],
    ['sql', 'SELECT FROM WHERE', false],
    ['sql', 'I am sorry, I cannot write SQL.', false],
  ] as const)('that must be %s and is %j passes: %s', async (name, text, passes) => {
    const validator = await loadValidator(name);
    expect(validator({ ...emptyOutput, text }) === null).toBe(passes);
  });

  it('without words is nonempty when it has a value or a body', async () => {
    const validator = await loadValidator('nonempty');
    const body = { bytes: 3, md5: '', expectedBytes: null, expectedMd5: null };
    expect(validator({ ...emptyOutput, value: 55 })).toBeNull();
    expect(validator({ ...emptyOutput, body })).toBeNull();
    expect(validator({ ...emptyOutput, body: { ...body, bytes: 0 } })).toBe('it is empty');
    expect(validator(emptyOutput)).toBe('it is empty');
  });
});
