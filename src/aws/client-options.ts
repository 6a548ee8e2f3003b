import { NodeHttpHandler } from '@smithy/node-http-handler';
import { keepAliveAgents } from './agents.ts';
import type { ClientSettings } from './client.ts';

/** What every client of the SDK is made with, so that it is equal to the plain HTTP client. */
export function clientOptions({ region, endpoint, sockets }: ClientSettings) {
  const { http: httpAgent, https: httpsAgent } = keepAliveAgents(sockets);
  return {
    region,
    ...(endpoint === null ? {} : { endpoint }),
    // A bearer token in the environment (AWS_BEARER_TOKEN_BEDROCK) would be a credential in a signed request.
    authSchemePreference: ['sigv4'],
    // One policy tries again for every client alike.
    maxAttempts: 1,
    // HTTP/1.1 for Bedrock, too, whose client would speak HTTP/2.
    requestHandler: new NodeHttpHandler({ httpAgent, httpsAgent }),
  };
}
