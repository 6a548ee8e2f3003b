/** What the environment says, read once. A value that is none stops k6 before it sends anything. */
export const settings = {
  baseUrl: text('BASE_URL', 'http://localhost:8080').replace(/\/$/u, ''),
  /** Sent along where there is one; nothing prints it. */
  token: text('BENCH_TOKEN', ''),
  traceUrlTemplate: text('TRACE_URL_TEMPLATE', 'http://localhost:16686/trace/{traceId}'),
  /** Where the summary goes: `<this>.json` and `<this>.txt`. */
  summaryPath: text('SUMMARY', ''),
};

export function text(name: string, fallback: string): string {
  return __ENV[name] || fallback;
}

/** The header that lets requests in, where there is a token. */
export function authorization(): Record<string, string> {
  return settings.token === '' ? {} : { Authorization: `Bearer ${settings.token}` };
}

/** @throws Error that names the variable when its value is not a whole number from 1 up */
export function wholeNumber(name: string, fallback: number): number {
  const given = __ENV[name];
  if (!given) return fallback;
  if (/^\d{1,9}$/u.test(given) && Number(given) >= 1) return Number(given);
  throw new Error(`${name}: "${given}" is not valid; expected a whole number from 1 up.`);
}

/** @throws Error that names the variable when its value is not a number */
export function milliseconds(name: string, fallback: number): number {
  const given = __ENV[name];
  if (!given) return fallback;
  if (/^\d{1,9}(?:\.\d+)?$/u.test(given)) return Number(given);
  throw new Error(`${name}: "${given}" is not valid; expected a number from 0 up.`);
}

/**
 * Names of strategies, separated by commas.
 * @throws Error that names the variable when there is none
 */
export function names(name: string): readonly string[] {
  const given = text(name, '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (given.length > 0) return given;
  throw new Error(`${name}: "" is not valid; expected names of strategies, as GET /workloads has them.`);
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/**
 * A length of time: `10s`, `5m`, `1h`. In seconds.
 * @throws Error that names the variable when its value is none
 */
export function seconds(name: string, fallback: string): number {
  const given = text(name, fallback);
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smh])$/u.exec(given) ?? [];
  const each = secondsIn[unit];
  if (count !== undefined && each !== undefined) return Number(count) * each;
  throw new Error(`${name}: "${given}" is not valid; expected a length such as 30s, 5m or 1h.`);
}

/**
 * Runs to ask for in turn, separated by commas: paths of the service with their query.
 * @throws Error that names the variable when its value is none
 */
export function runs(fallback: readonly string[]): readonly string[] {
  const given = text('RUNS', fallback.join(','))
    .split(',')
    .map((run) => run.trim())
    .filter((run) => run !== '');
  const wrong = given.find((run) => !run.startsWith('/bench/'));
  if (wrong === undefined && given.length > 0) return given;
  throw new Error(`RUNS: "${wrong ?? ''}" is not valid; expected paths such as /bench/sleep?ms=20.`);
}
