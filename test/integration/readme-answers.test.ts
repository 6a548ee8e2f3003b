import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { taskErrorCodes } from '../../src/record/record.ts';
import { readme } from '../support/readme.ts';
import { answerOfReadme, codeIn, leftOut, tableOfReadme } from '../support/readme-commands.ts';
import { startService, type RunningService } from '../support/service.ts';

/** What README.md says of answers, against real ones. */
const src = join(import.meta.dirname, '../../src');
const meanings = tableOfReadme('field', 'meaning');

let service: RunningService;
let answers: readonly unknown[];
beforeAll(async () => {
  service = await startService({ EMULATOR_FAULTS: 'error@photos/2.jpg' });
  answers = [
    // The README's own example, but for the number of tasks, which says nothing of its fields.
    await service.run('/bench/s3?strategy=presigned-async&tasks=2'),
    await service.run('/bench/s3?strategy=presigned-isolate-threads&tasks=2'),
    await service.run('/bench/fib?strategy=threads&n=5&tasks=2'),
    await service.run('/bench/bedrock?stream=true&answers=true&tasks=1'),
    await service.failedRun('/bench/s3?strategy=sdk-async&tasks=3', 502),
  ];
});
afterAll(() => service.stop());

describe('the answer that the README shows', () => {
  it('has only what a real one has, in the same places and of the same types', () => {
    expect(differences(answerOfReadme(), answers[0], '')).toEqual([]);
  });

  it('keeps quiet of nothing where it has no …', () => {
    expect(untold(answerOfReadme(), answers[0], '')).toEqual([]);
  });
});

describe("the README's table of fields", () => {
  it.each(fieldsOf(meanings))('has a field %s, as real answers have', (path) => {
    expect(valuesAt(answers, path).length).toBeGreaterThan(0);
  });

  it('names in its explanations no field that there is not', () => {
    const named = meanings.flatMap(([, meaning = '']) => codeIn(meaning)).filter(isCamelCase);
    expect(named.length).toBeGreaterThan(5);
    const known = namesIn(answers);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names every field of an answer, or the rest of the README does', () => {
    // Explained as a whole; and what needs no explanation.
    const whole = new Set(['run', 'runner', 'trace', 'warnings']);
    const plain = new Set(['tasks', 'index']);
    const told = new Set(codeIn(readme).flatMap((code) => code.split('.')));
    const fields = entriesOf(answers[0])
      .filter(([name]) => !whole.has(name))
      .flatMap(([name, value]) => [name, ...entriesOf(itemOf(value)).map(([inner]) => inner)]);
    expect(fields.length).toBeGreaterThan(20);
    expect([...new Set(fields)].filter((name) => !told.has(name) && !plain.has(name))).toEqual([]);
  });

  it('lists no warning that there is not', () => {
    const row = meanings.find(([field]) => field === '`warnings`');
    const listed = codeIn(row?.[1] ?? '');
    expect(listed.length).toBeGreaterThan(5);
    expect(listed.filter((code) => !warningCodes().includes(code))).toEqual([]);
  });

  it('and what it leads to name every warning of a run or a comparison', () => {
    const told = new Set(codeIn(readme));
    expect(warningCodes().filter((code) => !told.has(code))).toEqual([]);
  });
});

describe("the README's lists of errors", () => {
  it('has every code under its status, and no other', () => {
    const listed = tableOfReadme('status', 'codes').flatMap(([status = '', codes = '']) => {
      const statuses = status.split(',').map(Number);
      const names = codeIn(codes).filter((code) => !isHeader(code));
      return names.map((code, index) => `${statuses[index] ?? statuses.at(-1)} ${code}`);
    });
    const real = Object.entries(errorTable).map(([code, { status }]) => `${status} ${code}`);
    expect(listed.toSorted()).toEqual(real.toSorted());
  });

  it('has every code of a task', () => {
    const sentence = /`tasks\[\]\.error\.code` is one of ([^.]+)\./u.exec(readme)?.[1] ?? '';
    const listed = codeIn(sentence).filter((code) => code !== 'upstreamCode');
    expect(listed.toSorted()).toEqual([...taskErrorCodes].toSorted());
  });
});

/** Warnings of the start, for the log. */
const forTheLog = new Set(['endpoint_ignored', 'bucket_missing']);

/** The codes in the source that are no error's. */
function warningCodes(): readonly string[] {
  const errors = new Set<string>([...Object.keys(errorTable), ...taskErrorCodes]);
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const codes = files.flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(/\bcode: '([a-z]+(?:_[a-z]+)+)'/gu)].map(
      ([, code]) => code ?? '',
    ),
  );
  return [...new Set(codes)].filter((code) => !errors.has(code) && !forTheLog.has(code));
}

/** The paths of the fields in the first column. After `tasks[].startMs`, `endMs` is its sibling, if not a top field. */
function fieldsOf(rows: readonly (readonly string[])[]): readonly string[] {
  const topFields = new Set(Object.keys(Object(answerOfReadme())));
  return rows.flatMap(([cell = '']) => {
    const [first = '', ...others] = codeIn(cell);
    const place = first.slice(0, first.lastIndexOf('.') + 1);
    return [first, ...others.map((name) => (topFields.has(name) ? name : place + name))];
  });
}

/** What the answers have at a path; `null` counts as something. */
function valuesAt(values: readonly unknown[], path: string): readonly unknown[] {
  return path.split('.').reduce<readonly unknown[]>(
    (found, step) =>
      found.flatMap((value) => {
        const inner = entriesOf(value).filter(([name]) => name === step.replace('[]', ''));
        return inner.flatMap(([, member]) =>
          step.endsWith('[]') ? (Array.isArray(member) ? member : []) : [member],
        );
      }),
    values,
  );
}

/** Every name of a member, however deep. */
function namesIn(value: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  JSON.stringify(value, (name, member: unknown) => {
    names.add(name);
    return member;
  });
  return names;
}

/** Where the shown value has what the real one lacks, or something of another type. */
function differences(shown: unknown, real: unknown, path: string): readonly string[] {
  if (shown === leftOut) return [];
  if (typeOf(shown) !== typeOf(real)) return [`${path} is ${typeOf(real)}`];
  if (Array.isArray(shown)) return shown.flatMap((item) => differences(item, itemOf(real), `${path}[]`));
  const members = new Map(entriesOf(real));
  return entriesOf(shown)
    .filter(([name]) => name !== leftOut)
    .flatMap(([name, value]) => differences(value, members.get(name), `${path}.${name}`));
}

/** Members of the real value that are not shown, though nothing is said to be left out. */
function untold(shown: unknown, real: unknown, path: string): readonly string[] {
  if (shown === leftOut || typeof shown !== 'object') return [];
  if (Array.isArray(shown)) return shown.flatMap((item) => untold(item, itemOf(real), `${path}[]`));
  const members = new Map(entriesOf(shown));
  return entriesOf(real).flatMap(([name, value]) => {
    if (members.has(name)) return untold(members.get(name), value, `${path}.${name}`);
    return members.has(leftOut) ? [] : [`${path}.${name}`];
  });
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** One item for all of a list; what is no list stands for itself. */
function itemOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function isCamelCase(code: string): boolean {
  return /^[a-z]+(?:[A-Z][a-z]*)+$/u.test(code);
}

function isHeader(code: string): boolean {
  return /^[A-Z]/u.test(code);
}
