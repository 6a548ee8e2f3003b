import { emulatorModelId, emulatorPages } from '../../src/emulator/credentials.ts';
import { join } from 'node:path';
import { assemble } from '../../src/bench/assemble.ts';
import { drive } from '../../src/bench/drive.ts';
import { planRun } from '../../src/bench/plan.ts';
import type { World } from '../../src/bench/world.ts';
import { clockFrom } from '../../src/record/clock.ts';
import type { RunRecord } from '../../src/record/record.ts';
import type { Runtime } from '../../src/runner/runtimes.ts';
import { Supervisor } from '../../src/runner/supervisor.ts';
import { strategies } from '../../src/strategies/registry.ts';
import { workloads } from '../../src/workloads/registry.ts';
import type { TargetSettings } from '../../src/aws/target.ts';

export const distFolder = join(import.meta.dirname, '../../dist');

/** The one that executes the tests. */
export const ownRuntime: Runtime = {
  name: 'node26',
  version: process.versions.node,
  execPath: process.execPath,
  noIsolates: null,
};

/** One that is only planned with. */
export const lameRuntime: Runtime = {
  name: 'node22',
  version: '22.1.2',
  execPath: '/nowhere/node',
  noIsolates: 'isolated-vm does not work in Node 22.1.2: no native build',
};

/** A target whose S3 is at `endpoint`; with none, only workloads that need no target can run. */
export function targetAt(endpoint: string | null, s3: Partial<TargetSettings['s3']> = {}): TargetSettings {
  return {
    name: 'emulator',
    region: 'us-east-1',
    endpoints: { s3: endpoint, bedrock: endpoint, sts: endpoint },
    s3: { bucket: 'fanout-bench', keys: null, prefix: 'photos/', ...s3 },
    bedrock: { modelId: emulatorModelId },
    http: { urls: endpoint === null ? null : emulatorPages(endpoint) },
  };
}

export function worldOf(
  target: TargetSettings,
  limits: Partial<World['limits']> = {},
  runtimes: readonly Runtime[] = [ownRuntime],
): World {
  return {
    workloads,
    strategies,
    target,
    limits: { maxTasks: 10_000, maxWorkers: 64, runTimeoutMs: 30_000, maxCalls: 200, ...limits },
    runtimes,
  };
}

/** Real runners, driven without HTTP or telemetry. */
export class RunnerBench {
  readonly supervisor: Supervisor;
  readonly #target: TargetSettings;
  readonly #limits: Partial<World['limits']>;
  #runs = 0;

  constructor(
    target: TargetSettings,
    environment: Readonly<Record<string, string>> = {},
    limits: Partial<World['limits']> = {},
  ) {
    this.#target = target;
    this.#limits = limits;
    const { maxWorkers } = worldOf(target, limits).limits;
    this.supervisor = new Supervisor({ distFolder, environment, runtimes: [ownRuntime], maxWorkers });
  }

  /** Plans and runs what the query of `/bench/{workload}` would ask for. */
  async run(
    workload: string,
    given: Readonly<Record<string, string>>,
    signal: AbortSignal = new AbortController().signal,
    traceparents: readonly string[] | null = null,
  ): Promise<RunRecord> {
    const { limits, ...world } = worldOf(this.#target, this.#limits);
    const plan = planRun({ workload, given, problems: [] }, { ...world, limits });
    const originNs = String(process.hrtime.bigint());
    const lease = await this.supervisor.lease(plan, signal);
    const runId = `run-${(this.#runs += 1)}`;
    const order = { runId, plan, target: this.#target, maxWorkers: lease.mostAlive, originNs, traceparents };
    const news = await drive(order, lease.runner, clockFrom(originNs), signal);
    lease.release();
    const declaration = workloads.find((entry) => entry.declaration.name === workload)?.declaration;
    return assemble(
      {
        id: order.runId,
        plan,
        clock: { name: 'hrtime', originNs, epochOriginNs: '0' },
        trace: {
          traceId: '',
          parentSpanId: null,
          runSpanId: '',
          signSpanId: null,
          sampled: false,
          linkedTo: null,
          taskSpanIds: [],
        },
        runner: lease.runner,
        runsInFlight: 0,
        spansDropped: false,
        collected: true,
        calibration: null,
        check: (output) => declaration?.check(output, plan.params) ?? null,
      },
      news,
    );
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
  }
}
