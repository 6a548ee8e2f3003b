import { BenchError, type ParameterProblem } from '../errors.ts';

/** A query string, each parameter once; one that is given twice is a problem. */
export interface ParsedQuery {
  readonly given: Readonly<Record<string, string>>;
  readonly problems: readonly ParameterProblem[];
}

/** Reads a query without making structures of it: `a[]=1` is a parameter named `a[]`, as it was written. */
export function parseQuery(url: string): ParsedQuery {
  const start = url.indexOf('?');
  const query = new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
  const given: Record<string, string> = Object.create(null);
  const problems: ParameterProblem[] = [];
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    given[name] = values[0] ?? '';
    if (values.length > 1) {
      problems.push({
        field: name,
        value: values.join(', '),
        reason: 'is given more than once',
        allowed: 'one value',
      });
    }
  }
  return { given, problems };
}

/**
 * For paths that take no parameters.
 * @throws BenchError `invalid_parameter` for each that was given
 */
export function refuseParameters(url: string): void {
  const { given, problems: repeated } = parseQuery(url);
  const problems = [
    ...repeated,
    ...Object.entries(given).map(([field, value]) => ({
      field,
      value,
      reason: 'is not a parameter',
      allowed: [],
    })),
  ];
  if (problems.length === 0) return;
  const told = problems.map(({ field, reason }) => `${field} ${reason}`).join('; ');
  throw new BenchError('invalid_parameter', `${told}. This path takes no parameters.`, { problems });
}
