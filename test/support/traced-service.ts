import { OtlpReceiver } from './otlp-receiver.ts';
import { startJaeger, type Jaeger } from './real-servers.ts';
import { startService, tracingTo, type RunningService } from './service.ts';

interface Started {
  readonly service: RunningService;
  /** Ends the service, then its collector. */
  readonly stop: () => Promise<void>;
}

/** A service whose spans go to a receiver in the test's process. */
export async function startTracedService(
  environment: Readonly<Record<string, string>> = {},
): Promise<Started & { readonly receiver: OtlpReceiver }> {
  const receiver = await OtlpReceiver.listen();
  const settings = { ...tracingTo(receiver.url), ...environment };
  return { receiver, ...(await startBeside(() => receiver.close(), settings)) };
}

/** A service whose spans go to a real Jaeger, to whose pages its answers link. */
export async function startServiceWithJaeger(
  environment: Readonly<Record<string, string>> = {},
): Promise<Started & { readonly jaeger: Jaeger }> {
  const jaeger = await startJaeger();
  const link = { TRACE_URL_TEMPLATE: `${jaeger.queryUrl}/trace/{traceId}` };
  const settings = { ...tracingTo(jaeger.otlpUrl), ...link, ...environment };
  return { jaeger, ...(await startBeside(() => jaeger.stop(), settings)) };
}

async function startBeside(
  closeCollector: () => Promise<void>,
  environment: Readonly<Record<string, string>>,
): Promise<Started> {
  try {
    const service = await startService(environment);
    return { service, stop: () => service.stop().then(closeCollector) };
  } catch (error) {
    await closeCollector();
    throw error;
  }
}
