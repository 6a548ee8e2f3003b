import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createEmulator } from './server.ts';
import type { EmulatorSettings, Listening } from './settings.ts';

/** The emulator's process. Its settings come as JSON in its first argument; it ends when its parent does. */
const settings = JSON.parse(process.argv[2] ?? '{}') as EmulatorSettings;
// Its own telemetry: one server span a request, in the trace that the request belongs to.
const telemetry = settings.tracing ? (await import('../../otel/sdk.ts')).startTelemetry() : null;
const server = createEmulator(settings);

server.listen(settings.port, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
process.send?.({ type: 'listening', port } satisfies Listening);

process.on('disconnect', stop);
process.on('SIGTERM', stop);
// A terminal's Ctrl+C reaches the whole group: the service decides when its emulator ends.
process.on('SIGINT', () => undefined);

function stop(): void {
  server.close();
  server.closeAllConnections();
  void (telemetry?.shutdown() ?? Promise.resolve()).finally(() => process.exit(0));
}
