import type { IncomingMessage } from 'node:http';
import type { SignedParts } from './claim.ts';

/** What a request says before its body. */
export function headOf({ method = 'GET', url = '/', headers }: IncomingMessage): SignedParts {
  const mark = url.indexOf('?');
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
  return {
    method,
    path,
    // A literal plus is a plus here, not a space.
    query: new URLSearchParams(query.replaceAll('+', '%2B')),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
    ),
  };
}
