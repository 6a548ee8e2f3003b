import type { ClientName } from '../record/plan.ts';
import type { OpenHttp } from './tools.ts';

/** The plain HTTP clients, each loaded where it runs. */
const clients: Readonly<Record<ClientName, () => Promise<OpenHttp>>> = {
  got: async () => (await import('./got-client.ts')).openGot,
  undici: async () => (await import('./undici-client.ts')).openUndici,
};

export async function loadHttpClient(name: ClientName): Promise<OpenHttp> {
  return clients[name]();
}
