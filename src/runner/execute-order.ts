import { once } from 'node:events';
import { redactText } from '../../otel/redaction.ts';
import { BenchError } from '../errors.ts';
import type { BundleFolder, Executor } from '../execution/executor.ts';
import { loadHttpClient } from '../execution/http-clients.ts';
import { workersRoom } from '../execution/room.ts';
import { signInputs } from '../execution/signing.ts';
import { upstreamWord } from '../aws/upstream-word.ts';
import type { ClientSettings } from '../aws/client.ts';
import { clockFrom, type Clock } from '../record/clock.ts';
import type { RunPlan, Warning } from '../record/plan.ts';
import { unknownLoad } from '../record/record.ts';
import { strategies } from '../strategies/registry.ts';
import { taskName, type WorkloadEntry } from '../workloads/entry.ts';
import type { PreparedInputs } from '../workloads/inputs.ts';
import type { AnyTask } from '../workloads/task.ts';
import { workloads } from '../workloads/registry.ts';
import { fanOut, type FanOutResult } from './fan-out.ts';
import { joinRuleOf, type JoinRule } from './join-rule.ts';
import { LoadMeter } from './load-meter.ts';
import type { FinishedRun, FromRunner, RunOrder } from './messages.ts';
import { Reporter } from './reporter.ts';

export interface RunnerWorld {
  readonly bundles: BundleFolder;
  readonly awsEnvironment: Readonly<Record<string, string>>;
  /** Workload and strategy of every run so far: V8 has not compiled the code of others yet. */
  readonly kindsRun: Set<string>;
  /** Sends at the end of the turn. */
  send(message: FromRunner): void;
  /** Sends at once what is to be sent. */
  flush(): void;
}

/** Executes one run and tells the service all of it. Never rejects. */
export async function executeOrder(order: RunOrder, world: RunnerWorld, signal: AbortSignal): Promise<void> {
  const clock = clockFrom(order.originNs);
  const begunAtNs = clock();
  const reporter = new Reporter({
    runId: order.runId,
    clock,
    blocking: order.plan.holdsMainThread,
    send(message) {
      world.send(message);
      if (order.plan.holdsMainThread) world.flush();
    },
  });
  try {
    const ended = await execute({ order, world, clock, reporter, signal });
    reporter.finished({ ...ended, kept: workersRoom.idle });
  } catch (error) {
    const { runId } = order;
    if (signal.aborted) {
      return reporter.finished({ endedAtNs: clock(), load: unknownLoad, kept: workersRoom.idle });
    }
    reporter.flush();
    world.send({ type: 'refused', runId, ...refusal(error), startedAtNs: begunAtNs, endedAtNs: clock() });
  }
}

/** A run that is executed. */
interface Run {
  readonly order: RunOrder;
  readonly world: RunnerWorld;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

type Ended = Omit<FinishedRun, 'kept'>;

/** What it is executed with. */
interface Means {
  readonly workload: WorkloadEntry;
  readonly task: AnyTask;
  readonly settings: ClientSettings;
  readonly executor: Executor;
}

async function execute(run: Run): Promise<Ended> {
  const { plan, target, originNs, maxWorkers } = run.order;
  const workload = named(workloads, plan.workload);
  const { service } = workload.declaration;
  const task = (await workload.load())[taskName(plan.access)];
  if (task === undefined) throw new Error(`${plan.workload} has no task for ${String(plan.access)}`);
  const settings: ClientSettings = {
    region: target.region,
    endpoint: service === null ? null : target.endpoints[service],
    sockets: plan.concurrency,
    attempts: plan.attempts,
  };
  const openExecutor = await named(strategies, plan.fanOut).load();
  const executor = await openExecutor({
    clock: run.clock,
    originNs,
    task,
    pool: plan.pool,
    concurrency: plan.concurrency,
    maxWorkers,
    settings,
    bundles: run.world.bundles,
    awsEnvironment: run.world.awsEnvironment,
    bundle: plan.access === null ? plan.workload : `${plan.workload}-${plan.access}`,
    client: plan.client,
    openHttp: plan.client === null ? null : await loadHttpClient(plan.client),
  });
  return perform(run, { workload, task, settings, executor }).finally(() => executor.close());
}

async function perform(run: Run, means: Means): Promise<Ended> {
  const { order, signal } = run;
  const { plan, target } = order;
  const { workload, settings } = means;
  const { prepareInputs } = await workload.load();
  const join = await joinRuleOf(plan, workload.declaration);
  const prepared = await unlessAborted(
    signal,
    asUpstream(() => prepareInputs?.(plan, target, settings, signal) ?? paramsForAll(plan)),
  );
  const meter = new LoadMeter();
  try {
    const { endedAtNs, processesCpuMs } = await signAndFanOut(run, means, prepared, join);
    return { endedAtNs, load: meter.read(processesCpuMs) };
  } finally {
    meter.stop();
  }
}

/** All of what a run's duration is. */
async function signAndFanOut(
  { order: { plan, traceparents }, world, clock, reporter, signal }: Run,
  { task, settings, executor }: Means,
  prepared: PreparedInputs,
  join: JoinRule,
): Promise<FanOutResult> {
  const startedAtNs = clock();
  const bridged = task.uses === 'http' && named(strategies, plan.fanOut).declaration.isolate;
  const warnings = [...prepared.warnings, ...firstRunWarning(plan, world)];
  const begun = { startedAtNs, warnings, bridged };
  let inputs = prepared.inputs;
  let signedAtNs: number | null = null;
  if (prepared.signing !== null) {
    reporter.begun({ ...begun, signing: null, fanOutStartedAtNs: null });
    const signed = signInputs(prepared.signing, plan.pool, signal, plan.workload, settings);
    inputs = await unlessAborted(
      signal,
      asUpstream(() => signed),
    );
    signedAtNs = clock();
  }
  const fanOutStartedAtNs = signedAtNs ?? startedAtNs;
  const signing = signedAtNs === null ? null : { fromNs: startedAtNs, toNs: signedAtNs };
  reporter.begun({ ...begun, signing, fanOutStartedAtNs });
  return fanOut({
    inputs,
    executor,
    clock,
    traceparents,
    signal,
    reporter,
    concurrency: plan.concurrency,
    join,
    labels: prepared.labels ?? [],
    startedAtNs: fanOutStartedAtNs,
  });
}

function firstRunWarning({ workload, strategy }: RunPlan, { kindsRun }: RunnerWorld): Warning[] {
  const kind = `${workload} ${strategy}`;
  if (kindsRun.has(kind)) return [];
  kindsRun.add(kind);
  const message = `The first run of ${kind} in its process, whose code is not compiled yet: it is slower than the next ones.`;
  return [{ code: 'first_run', message }];
}

function paramsForAll({ tasks, params }: RunPlan): PreparedInputs {
  return { inputs: Array.from({ length: tasks }, () => params), warnings: [], signing: null };
}

/** The promise, unless the signal fires first. */
async function unlessAborted<T>(signal: AbortSignal, promise: T | Promise<T>): Promise<T> {
  // Of what happened already there is no event.
  const aborted = signal.aborted ? givenUp() : once(signal, 'abort').then(givenUp);
  return Promise.race([promise, aborted]);
}

async function givenUp(): Promise<never> {
  throw new Error('the run was given up');
}

/** The service's plan names what is in the registries, so a miss is a fault of the program. */
function named<Entry extends { readonly declaration: { readonly name: string } }>(
  entries: readonly Entry[],
  name: string,
): Entry {
  const entry = entries.find(({ declaration }) => declaration.name === name);
  if (entry === undefined) throw new Error(`there is no ${name}`);
  return entry;
}

type Refusal = Pick<Extract<FromRunner, { type: 'refused' }>, 'code' | 'message' | 'upstreamCode'>;

/** What listing or signing threw: the upstream's, or that of the credentials, and not a fault of the program. */
class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly upstreamCode: string;

  constructor(cause: unknown) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    // An upstream that refuses a signature may repeat what was signed.
    super(redactText(error.message), { cause });
    const origin = error.cause instanceof Error ? error.cause : error;
    this.upstreamCode = upstreamWord('code' in origin ? String(origin.code) : origin.name) ?? 'unknown';
  }
}

async function asUpstream<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof BenchError ? error : new UpstreamFailure(error);
  }
}

function refusal(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UpstreamFailure) {
    return { code: 'upstream_unavailable', message, upstreamCode: error.upstreamCode };
  }
  const code = error instanceof BenchError && error.code === 'no_objects' ? error.code : 'runner_crashed';
  return { code, message, upstreamCode: null };
}
