import type { Request, Response } from 'express';

/** Fires when the client goes away before it has its answer, with an error whose `code` is `cancelled`. */
export function clientSignal(request: Request, response: Response): AbortSignal {
  const controller = new AbortController();
  const gone = (): void =>
    controller.abort(Object.assign(new Error('the client went away'), { code: 'cancelled' }));
  response.once('close', () => {
    if (!response.writableFinished) gone();
  });
  if (request.destroyed) gone();
  return controller.signal;
}
