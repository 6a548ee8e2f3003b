import { context, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { vi } from 'vitest';
import type { Notice } from '../../otel/notices.ts';
import { Telemetry } from '../../otel/sdk.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

/** A telemetry of its own, told by these variables, and what it gave notice of. */
export interface TelemetryUnderTest {
  readonly telemetry: Telemetry;
  readonly notices: readonly Notice[];
  /** Ends it and leaves the process as if there had been none. */
  readonly end: () => Promise<void>;
}

export function telemetryWith(variables: Readonly<Record<string, string>>): TelemetryUnderTest {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const telemetry = new Telemetry({ instrumentServers: false });
  const notices: Notice[] = [];
  telemetry.onNotice((notice) => notices.push(notice));
  return {
    telemetry,
    notices,
    async end() {
      await telemetry.shutdown();
      diag.disable();
      trace.disable();
      metrics.disable();
      context.disable();
      propagation.disable();
      vi.unstubAllEnvs();
    },
  };
}

/** A telemetry that sends to a collector of its own, which ends with it. */
export async function receivedTelemetry(
  variables: Readonly<Record<string, string>> = {},
): Promise<TelemetryUnderTest & { readonly receiver: OtlpReceiver }> {
  const receiver = await OtlpReceiver.listen();
  const under = telemetryWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...variables });
  return { ...under, receiver, end: () => under.end().then(() => receiver.close()) };
}
