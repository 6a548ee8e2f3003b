import { z } from 'zod';

/** Kinds of values that environment variables have, each with the words for what was expected. */

export function wholeNumber(fallback: number, minimum: number, maximum: number) {
  const expected = `a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, expected)
    .default(fallback);
}

export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false'], 'true or false')
    .transform((value) => value === 'true')
    .default(fallback);
}

/** Separated by commas; what is empty is left out. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

export const httpUrl = z.url({ protocol: /^https?$/, error: 'an http or https URL' });

export const httpUrls = list.refine(
  (urls) => urls.length > 0 && urls.every((url) => httpUrl.safeParse(url).success),
  'http or https URLs, separated by commas',
);

export const traceUrlTemplate = z
  .string()
  .refine(
    (text) => text.includes('{traceId}') && httpUrl.safeParse(text.replaceAll('{traceId}', '0')).success,
    'an http or https URL with {traceId} in it',
  );

/** As a `Host` header has them. */
export const hosts = list.refine(
  (names) => names.every((name) => /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(name)),
  'host names such as bench.example or bench.example:8080, separated by commas',
);

/** As browsers write them: no path, no trailing slash. */
export const origins = list.refine(
  (all) => all.every((origin) => /^https?:/.test(origin) && URL.parse(origin)?.origin === origin),
  'origins such as http://localhost:3000, separated by commas',
);
