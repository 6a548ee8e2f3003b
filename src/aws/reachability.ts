import { connect } from 'node:net';
import { once } from 'node:events';
import type { TargetSettings } from './target.ts';

/** How long a target may take to accept a connection. */
const limitMs = 2_000;

/** Why the target's S3 endpoint does not accept connections; `null` when it does, or when it is AWS's own. */
export async function unreachable({ s3: { endpoint } }: TargetSettings): Promise<string | null> {
  if (endpoint === null) return null;
  const { hostname, port, protocol } = new URL(endpoint);
  const socket = connect({ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(limitMs) });
    return null;
  } catch (error) {
    return `${endpoint} can't be reached: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    socket.destroy();
  }
}
