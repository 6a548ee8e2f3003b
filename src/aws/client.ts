import type { PlainRequest } from './signed-request.ts';

export type { PlainRequest };

/** Everything a client needs to know; plain data, so that it reaches any worker. It holds no credentials. */
export interface ClientSettings {
  readonly region: string;
  /** `null`: AWS's own. Else path-style requests to this endpoint. */
  readonly endpoint: string | null;
  /** At most so many sockets at once. */
  readonly sockets: number;
  /** How often one request may be sent; 1 means no retry. The clients' own retries are off. */
  readonly attempts: number;
}

/** Signs requests that something else will send. */
export interface Signer<Call> {
  sign(call: Call): Promise<PlainRequest>;
  close(): void;
}
