import type { Attributes } from '@opentelemetry/api';
import type { SignedParts } from './claim.ts';

export type EmulatedRequest = SignedParts;

export interface EmulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a request asks for. */
export interface Asked {
  readonly operation: string;
  /** What latency draws and faults go by, beside the operation: what stays the same from run to run. */
  readonly key: string;
  /** What the request's span says beside HTTP's own attributes. */
  readonly attributes: Attributes;
  /** Called once the signature is verified. */
  answer(): EmulatedAnswer;
}

/** One AWS service: what it understands, and what it answers. */
export interface EmulatedService {
  /** As in the credential scope. */
  readonly name: string;
  /** `null`: not one of its operations. */
  identify(request: EmulatedRequest): Asked | null;
  /** An error in the form that the service's clients understand. */
  refuse(status: number, code: string, message: string): EmulatedAnswer;
}
