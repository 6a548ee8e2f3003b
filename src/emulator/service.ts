import type { Attributes } from '@opentelemetry/api';
import type { SignedParts } from './claim.ts';
import type { FaultKind } from './faults.ts';
import type { TokenPace } from './latency.ts';
import type { Problem } from './problems.ts';

export interface EmulatedRequest extends SignedParts {
  /** At most 1 MB; a larger one never gets this far. */
  readonly body: Uint8Array;
}

export interface EmulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | TimedStream;
  /** When it is ready, from the request's arrival; `null`: after the latency that every simple request has. */
  readonly readyMs: number | null;
}

/** A body that comes bit by bit. */
export interface TimedStream {
  readonly frames: readonly Frame[];
  /** When the last of it is due, from the request's arrival. */
  readonly totalMs: number;
}

export interface Frame {
  /** From the request's arrival. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** What the emulator decides for one request. */
export interface Circumstances {
  readonly pace: TokenPace;
  readonly fault: FaultKind | null;
}

/** What a request asks for. */
export interface Asked {
  readonly operation: string;
  /** What latency draws go by in place of the operation: operations that share it compete on the same draws. */
  readonly family: string;
  /** What latency draws and faults go by, beside the operation: what stays the same from run to run. */
  readonly key: string;
  /** What the request's span says beside HTTP's own attributes. */
  readonly attributes: Attributes;
  /** Called once the signature is verified. */
  answer(circumstances: Circumstances): EmulatedAnswer;
}

/** One service: what it understands, and what it answers. */
export interface EmulatedService {
  /** As in the credential scope; `null`: its requests are not signed. */
  readonly signingName: string | null;
  /** The faults that mean something to it. */
  readonly faults: readonly FaultKind[];
  /** Whether a request is for this service, whatever it asks. */
  takes(head: SignedParts): boolean;
  /** `null`: not one of its operations. */
  identify(request: EmulatedRequest): Asked | null;
  /** An error in the form that the service's clients understand. */
  refuse(problem: Problem): EmulatedAnswer;
}
