import { once } from 'node:events';
import { collectWhenIdle } from '../idle-garbage.ts';
import { createEmulator } from './server.ts';
import type { EmulatorSettings, Listening } from './settings.ts';

/** The emulator's process. Its settings come as JSON in its first argument; it ends when its parent does. */
const settings: EmulatorSettings = JSON.parse(process.argv[2] ?? '{}');
// Its own telemetry: one server span a request, in the trace that the request belongs to.
const telemetry = settings.tracing ? (await import('../../otel/sdk.ts')).startTelemetry() : null;
const server = createEmulator(settings);
collectWhenIdle(server);

process.on('disconnect', stop);
// A terminal's Ctrl+C and a service manager reach all processes: the service decides when its emulator ends.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);

try {
  server.listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
} catch (error) {
  process.stderr.write(`emulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
const address = server.address();
if (address !== null && typeof address === 'object') {
  const listening: Listening = { type: 'listening', port: address.port };
  // The parent may be gone by now: then there is nobody to tell, and nothing to stay for.
  process.send?.(listening, undefined, undefined, (error: Error | null) => {
    if (error !== null) stop();
  });
}

function stop(): void {
  server.close();
  server.closeAllConnections();
  void (telemetry?.shutdown() ?? Promise.resolve()).finally(() => process.exit(0));
}
