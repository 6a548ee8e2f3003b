import type { SignedParts } from './sigv4.ts';

export type EmulatedRequest = SignedParts;

export interface EmulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a request asks for; latency and faults go by operation and key. */
export interface Asked {
  readonly operation: string;
  readonly key: string;
  readonly bucket: string;
}

/** One AWS service: what it understands, and what it answers once the signature is verified. */
export interface EmulatedService {
  /** As in the credential scope. */
  readonly name: string;
  /** `null`: not one of its operations. */
  identify(request: EmulatedRequest): Asked | null;
  answer(request: EmulatedRequest, asked: Asked): EmulatedAnswer;
  /** An error in the form that the service's clients understand. */
  refuse(status: number, code: string, message: string): EmulatedAnswer;
}
