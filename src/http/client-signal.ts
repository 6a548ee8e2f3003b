import type { Request, Response } from 'express';

/** Fires when the client goes away before it has its answer. */
export function clientSignal(request: Request, response: Response): AbortSignal {
  const controller = new AbortController();
  const gone = (): void => controller.abort(new Error('the client went away'));
  response.once('close', () => {
    if (!response.writableFinished) gone();
  });
  if (request.destroyed) gone();
  return controller.signal;
}
