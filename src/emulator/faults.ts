export const faultKinds = ['truncate', 'reset', 'error', 'corrupt', 'stall'] as const;

/**
 * What can go wrong with an answer: `truncate` breaks its body off half-way, `reset` closes the connection instead,
 * `error` is a 500 InternalError, `corrupt` changes one byte of the body, `stall` never answers.
 */
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** A key, or with a final `*` the beginning of keys. */
  readonly pattern: string;
}

/**
 * Reads `EMULATOR_FAULTS`: `kind@key` or `kind@prefix*`, separated by commas.
 * @throws Error that says what is expected
 */
export function parseFaults(text: string): readonly Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('@');
      const kind = faultKinds.find((name) => name === part.slice(0, at));
      const pattern = part.slice(at + 1);
      if (at < 0 || kind === undefined || pattern === '') {
        throw new Error(`"${part}" is not kind@key or kind@prefix* with a kind of ${faultKinds.join(', ')}`);
      }
      return { kind, pattern };
    });
}

/** The first fault that applies to a key; `null` when all is well. */
export function faultFor(faults: readonly Fault[], key: string): FaultKind | null {
  return faults.find(({ pattern }) => matches(pattern, key))?.kind ?? null;
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}
