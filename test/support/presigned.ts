import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { emulatorCredentials, emulatorRegion } from '../../src/emulator/credentials.ts';

export interface ToSign {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The SDK's signer, with the emulator's credentials unless others are given. */
export function signer(service: string, credentials: object = {}): SignatureV4 {
  return new SignatureV4({
    service,
    region: emulatorRegion,
    credentials: { ...emulatorCredentials, ...credentials },
    sha256: new STSClient().config.sha256,
  });
}

/** A URL that is good for a minute, for a request with that body. */
export async function presigned(
  endpoint: string,
  service: string,
  { method, path, query, body }: ToSign,
  credentials: object = {},
): Promise<string> {
  const { host, hostname } = new URL(endpoint);
  const signed = await signer(service, credentials).presign(
    { method, protocol: 'http:', hostname, path, query: { ...query }, body, headers: { host } },
    { expiresIn: 60 },
  );
  const url = new URL(path, endpoint);
  for (const [name, value] of Object.entries(signed.query ?? {})) url.searchParams.set(name, String(value));
  return url.href;
}
