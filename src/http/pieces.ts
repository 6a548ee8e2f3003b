import { once } from 'node:events';
import type { Request, Response } from 'express';
import { clientSignal } from './client-signal.ts';

/**
 * Sends an answer's text piece by piece, each as the client has taken those before, so that only a few are held at once.
 * @throws what the pieces throw; an error when the client goes away, and no more are made
 */
export async function sendPieces(
  request: Request,
  response: Response,
  pieces: AsyncIterable<string>,
): Promise<void> {
  const signal = clientSignal(request, response);
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (!response.write(piece)) await once(response, 'drain', { signal });
  }
  response.end();
}
