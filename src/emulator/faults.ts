/** Faults that any answer can have. */
export const commonFaults = [
  'truncate',
  'reset',
  'error',
  'corrupt',
  'stall',
  'throttle',
  'unavailable',
  'malformed',
  'slow',
] as const;

/** Faults of a model's answer; other services don't have them. */
export const modelFaults = ['nonsense', 'empty'] as const;

const faultKinds = [...commonFaults, ...modelFaults];

/**
 * What can go wrong with an answer:
 * - `truncate` breaks its body off half-way, `reset` closes the connection instead, `stall` never answers; all three
 *   let the first half of a stream through;
 * - `error`, `throttle` and `unavailable` are the service's own errors for a failure, too many requests and a pause;
 * - `corrupt` changes one byte of the body;
 * - `malformed` is whole, and can't be parsed: half a document, or a frame whose checksum is wrong;
 * - `slow` takes ten times as long;
 * - `nonsense` is prose from a model whatever was asked, `empty` is no text.
 */
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** A key, or with a final `*` the beginning of keys. */
  readonly pattern: string;
  /** How many of a hundred requests it hits. */
  readonly percent: number;
  /** How many attempts of a request it can hit, from the first; `null`: all of them. */
  readonly attempts: number | null;
}

/**
 * Reads `EMULATOR_FAULTS`: `kind@key` or `kind@prefix*`, each perhaps with `#K` (only the first K attempts of a
 * request) and `:N%` (only so many of a hundred requests), separated by commas. A key that holds a comma, or that
 * ends like one of these two, is reached by its beginning.
 * @throws Error that says what is expected
 */
export function parseFaults(text: string): readonly Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseFault);
}

export function faultKindOf(text: string): FaultKind | null {
  return faultKinds.find((name) => name === text) ?? null;
}

/** The first fault that is for a key and that `hits`; `null` when all is well. */
export function faultFor(
  faults: readonly Fault[],
  key: string,
  hits: (fault: Fault) => boolean = () => true,
): FaultKind | null {
  return faults.find((fault) => isFor(fault, key) && hits(fault))?.kind ?? null;
}

export function isFor({ pattern }: Fault, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

function parseFault(part: string): Fault {
  const groups = faultForm.exec(part)?.groups ?? {};
  const { pattern = '', percent: percentText = '100', attempts: attemptsText = null } = groups;
  const kind = faultKindOf(groups['kind'] ?? '');
  const percent = Number(percentText);
  const attempts = attemptsText === null ? null : Number(attemptsText);
  if (kind === null || pattern === '' || attempts === 0 || percent === 0 || percent > 100) {
    throw new Error(
      `"${part}" is not kind@key or kind@prefix*, perhaps with #K (the first K attempts) and :N% (0 < N <= 100), ` +
        `with a kind of ${faultKinds.join(', ')}`,
    );
  }
  return { kind, pattern, percent, attempts };
}

/** The two endings come in either order. */
const faultForm =
  /^(?<kind>[a-z]+)@(?<pattern>.*?)(?:#(?<attempts>\d{1,9})(?::(?<percent>\d{1,3}(?:\.\d{1,6})?)%)?|:(?<percent>\d{1,3}(?:\.\d{1,6})?)%(?:#(?<attempts>\d{1,9}))?)?$/s;
