import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** For clients on node:http: connections that are kept, so many at most to one host. Workers with got load it, too. */
export function keepAliveAgents(sockets: number): { readonly http: HttpAgent; readonly https: HttpsAgent } {
  const options = { keepAlive: true, maxSockets: sockets };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}
