import type { Refusal } from './claim.ts';
import type { FaultKind } from './faults.ts';

/** What a service can refuse for, in S3's words. Each other service has {@link Words} of its own for the same. */
export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly message: string;
}

type ProblemCode =
  | Refusal['code']
  | 'EntityTooLarge'
  | 'InternalError'
  | 'InvalidRequest'
  | 'ServiceUnavailable'
  | 'SlowDown';

/** What a service says in place of S3: its status, its code and, where S3's would not fit, its message. */
export type Words = Readonly<Record<ProblemCode, readonly [status: number, code: string, message?: string]>>;

/** Status, code and message of a problem in a service's own words. */
export function inWords(words: Words, { code, message }: Problem): [number, string, string] {
  const [status, ownCode, ownMessage = message] = words[code];
  return [status, ownCode, ownMessage];
}

export const tooLarge: Problem = {
  status: 400,
  code: 'EntityTooLarge',
  message: 'Your proposed upload exceeds the maximum allowed size',
};

export function unknownOperation(method: string, path: string): Problem {
  const message = `The emulator has no operation for ${method} ${path}`;
  return { status: 501, code: 'NotImplemented', message };
}

export function unknownFault(kind: string, known: readonly FaultKind[]): Problem {
  const message = `x-fanout-fault: "${kind}" is not one of ${known.join(', ')}`;
  return { status: 400, code: 'InvalidRequest', message };
}

/** The faults that are errors of the service; `null` for every other. */
export function problemOf(fault: FaultKind | null): Problem | null {
  return fault === null ? null : (failures[fault] ?? null);
}

const failures: Readonly<Partial<Record<FaultKind, Problem>>> = {
  error: {
    status: 500,
    code: 'InternalError',
    message: 'We encountered an internal error. Please try again.',
  },
  throttle: { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' },
  unavailable: {
    status: 503,
    code: 'ServiceUnavailable',
    message: 'Service is unable to handle request.',
  },
};
