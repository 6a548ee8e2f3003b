import type { Behaviour } from '../support/otlp-receiver.ts';
import { startService, tracingTo, type RunningService } from '../support/service.ts';
import { startReceiver, type Receiver } from './receiver.ts';

/** Lets `measure` use a service of its own that sends no traces: what is measured is inside the run. */
export async function withService<Result>(
  measure: (service: RunningService) => Promise<Result>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const service = await startService({ EMULATOR_LATENCY_MS: '30', ...environment });
  try {
    await service.get('/readyz');
    return await measure(service);
  } finally {
    await service.stop();
  }
}

/** Lets `measure` use a service that sends traces to a collector in a third process, with `environment` set. */
export async function withTracedService<Result>(
  measure: (service: RunningService, receiver: Receiver) => Promise<Result>,
  environment: Readonly<Record<string, string>> = {},
  behaviour: Behaviour = 'accept',
): Promise<Result> {
  const receiver = await startReceiver(behaviour);
  try {
    const service = await startService({ ...tracingTo(receiver.url), ...environment });
    try {
      await service.get('/readyz');
      return await measure(service, receiver);
    } finally {
      await service.stop();
    }
  } finally {
    await receiver.stop();
  }
}
