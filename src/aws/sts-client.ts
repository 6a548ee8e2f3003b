import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { ClientSettings, Signer } from './client.ts';
import { clientOptions } from './client-options.ts';
import { sdkFailure, type SdkFailure } from './sdk-failure.ts';
import { toSignedRequest } from './signed-request.ts';

/** What the `sdk` tasks of the sts workload ask with. */
export interface IdentityCaller {
  ask(signal: AbortSignal): Promise<{ readonly state: 'told'; readonly arn: string } | SdkFailure>;
  /** Closes its sockets, those in use too. */
  close(): void;
}

export function openIdentityCaller(settings: ClientSettings): IdentityCaller {
  const client = new STSClient(clientOptions(settings));
  return {
    async ask(abortSignal) {
      try {
        const { Arn: arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
        return { state: 'told', arn: arn ?? '' };
      } catch (error) {
        return sdkFailure(error, { service: 'STS', asked: 'GetCallerIdentity', answerBegan: false });
      }
    },
    close: () => client.destroy(),
  };
}

export function openIdentitySigner(settings: ClientSettings): Signer<unknown> {
  const client = new STSClient(clientOptions(settings));
  return {
    sign: () => toSignedRequest(client, new GetCallerIdentityCommand({})),
    close: () => client.destroy(),
  };
}
