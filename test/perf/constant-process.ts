import express from 'express';
import { listen } from '../../src/http/listen.ts';

/**
 * The least that a service with this Express and this instrumentation can do: preloaded with the same register.js, it
 * answers every run with the bytes that it is given. Ends with its parent.
 */
process.once('message', (constant: string) => {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/bench/:workload', (_, response) => void response.type('application/json').send(constant));
  void listen(app, '127.0.0.1', 0).then(({ url }) => process.send?.(url));
});
process.once('disconnect', () => process.exit(0));
