import { RunArchive } from '../../src/bench/archive.ts';
import type { Bench } from '../../src/bench/bench.ts';
import { compare } from '../../src/bench/compare/compare.ts';
import { workloadNamed } from '../../src/bench/plan.ts';
import type { World } from '../../src/bench/world.ts';
import { createApp } from '../../src/http/app.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import { listen } from '../../src/http/listen.ts';
import type { RunPlan } from '../../src/record/plan.ts';
import type { RunRecord } from '../../src/record/record.ts';
import { recordOf } from '../support/fixtures.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';

/** HTTP over a bench that executes nothing, on a free port of the loopback. */
export interface FakeService {
  readonly url: string;
  readonly archive: RunArchive;
  /** Every plan that reached the bench. */
  readonly plans: readonly RunPlan[];
  /** What was reported as the service's own fault. */
  readonly faults: readonly unknown[];
  /** The codes of refused requests, as they were counted. */
  readonly rejected: readonly string[];
  close(): Promise<void>;
}

export type RunFake = (plan: RunPlan, signal: AbortSignal) => Promise<RunRecord>;

const okRun: RunFake = async (plan) => recordOf({ plan });

/** Dependencies with a bench whose runs are `run` (by default all ok). */
export function depsOf(changes: Partial<HttpDeps> = {}, run: RunFake = okRun): HttpDeps {
  const world: World = worldOf(targetAt(null));
  const bench: Bench = {
    run,
    compare: (plan, signal, onProgress) =>
      compare(plan, {
        id: 'comparison-1',
        work: workloadNamed(plan.workload, world).work,
        trace: { traceId: 'c0'.repeat(16), spanId: 'c0'.repeat(8) },
        signal,
        now: () => performance.now(),
        execute: (one) => run(one, signal),
        calibrate: async () => {},
        onProgress,
      }),
    async *traceJson() {
      yield '{"resourceSpans":[]}';
    },
    readiness: async () => [{ name: 'runner', ok: true, problem: null }],
  };
  return {
    world,
    bench,
    archive: new RunArchive(10),
    metrics: { text: async () => '# none\n', rejected() {} },
    traceUrlTemplate: 'http://traces.example/{traceId}',
    allowedHosts: [],
    corsOrigins: [],
    rateLimitPerMinute: null,
    benchToken: null,
    surroundings: { target: 'emulator', emulator: null, versions: { 'fanout-bench': '1.2.3' } },
    version: '1.2.3',
    reportFault: () => {},
    ...changes,
  };
}

export async function serveFake(changes: Partial<HttpDeps> = {}, run: RunFake = okRun): Promise<FakeService> {
  const plans: RunPlan[] = [];
  const faults: unknown[] = [];
  const rejected: string[] = [];
  const reached: RunFake = (plan, signal) => {
    plans.push(plan);
    return run(plan, signal);
  };
  const counted = { text: async () => '# none\n', rejected: (code: string) => void rejected.push(code) };
  const deps = depsOf(
    { reportFault: (error) => void faults.push(error), metrics: counted, ...changes },
    reached,
  );
  const server = await listen(createApp(deps), '127.0.0.1', 0);
  return { url: server.url, archive: deps.archive, plans, faults, rejected, close: () => server.close() };
}
