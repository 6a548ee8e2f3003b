import { emulatorCredentials } from '../../src/emulator/credentials.ts';
import { parseFaults } from '../../src/emulator/faults.ts';
import { startEmulator } from '../../src/emulator/process.ts';
import type { TargetSettings } from '../../src/aws/target.ts';
import type { RunRecord, TaskErrorCode } from '../../src/record/record.ts';
import { strategies } from '../../src/strategies/registry.ts';
import { distFolder, RunnerBench, targetAt } from './run-on-runner.ts';

/** The emulator's account, as the environment of what talks to it. */
export const account: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: emulatorCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: emulatorCredentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Every strategy of a workload with both accesses, by its name there. */
export const signedStrategies: readonly string[] = strategies.flatMap(
  ({ declaration: { name, refusedAccesses } }) => [
    ...(refusedAccesses.sdk === undefined ? [`sdk-${name}`] : []),
    `presigned-${name}`,
  ],
);

/** One strategy of each way in which a request goes out. */
export const accesses = ['sdk-async', 'presigned-async', 'presigned-isolate', 'presigned-isolate-subprocess'];

/** Benches on real runners, each with what it talks to. Close it when all is done. */
export class EmulatedBenches {
  readonly #latencyMs: number;
  readonly #closing: (() => Promise<void>)[] = [];

  /** @param latencyMs of every emulator */
  constructor(latencyMs = 2) {
    this.#latencyMs = latencyMs;
  }

  /** A bench and an emulator that has these faults. */
  async start(faults = '', environment: Readonly<Record<string, string>> = account): Promise<RunnerBench> {
    return this.at(await this.target(faults), environment);
  }

  /** An emulator that has these faults, and which of its objects are read. */
  async target(faults = '', s3: Partial<TargetSettings['s3']> = {}): Promise<TargetSettings> {
    const settings = {
      port: 0,
      latencyMs: this.#latencyMs,
      seed: 1,
      faults: parseFaults(faults),
      tracing: false,
    };
    const emulator = await startEmulator({
      distFolder,
      settings,
      environment: {},
      onRestart: () => undefined,
    });
    this.#closing.push(() => emulator.stop());
    return targetAt(emulator.endpoint, s3);
  }

  /** A bench and whatever is there. */
  at(target: TargetSettings, environment: Readonly<Record<string, string>> = account): RunnerBench {
    const bench = new RunnerBench(target, environment);
    this.#closing.push(() => bench.stop());
    return bench;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }
}

/** Code and upstream code of each task's error, by index; `null` for a task that has not failed. */
export function errorsOf({ tasks }: RunRecord): (readonly [TaskErrorCode, string | null] | null)[] {
  return tasks.map((task) => (task.state === 'failed' ? [task.error.code, task.error.upstreamCode] : null));
}
