import { regionOfProfile } from './aws/region.ts';
import type { TargetSettings } from './aws/target.ts';
import type { Config } from './config.ts';
import { emulatorPages } from './emulator/credentials.ts';
import { startEmulator } from './emulator/process.ts';
import type { Logger } from './logging.ts';

export interface StartedTarget {
  readonly target: TargetSettings;
  readonly stop: () => Promise<void>;
}

/**
 * What the workloads talk to: AWS as configured, or an emulator that is started for it.
 * @throws Error when the emulator can't listen
 */
export async function startTarget(config: Config, distFolder: string, log: Logger): Promise<StartedTarget> {
  const { target } = config;
  if (target.name === 'aws') {
    const region = (config.regionFromProfile ? await regionOfProfile() : null) ?? target.region;
    return { target: { ...target, region }, stop: async () => {} };
  }
  const emulator = await startEmulator({
    distFolder,
    settings: config.emulator,
    environment: config.emulatorEnvironment,
    onRestart: () => log.warn('The emulator died and is started again.'),
  });
  const { endpoint } = emulator;
  return {
    target: {
      ...target,
      endpoints: { s3: endpoint, bedrock: endpoint, sts: endpoint },
      http: { urls: target.http.urls ?? emulatorPages(endpoint) },
    },
    stop: () => emulator.stop(),
  };
}
