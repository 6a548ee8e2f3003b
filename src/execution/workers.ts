import workerpool, { type Pool, type WorkerPoolOptions } from 'workerpool';
import type { ExecutionContext, Executor, OpenExecutor, TaskHandle } from './executor.ts';
import { workersRoom } from './room.ts';
import { keyOf, Shelf, shelfDefaults } from './shelf.ts';
import { startedEventSchema, workReportSchema } from './work-report.ts';
import { workMethod, type IsolateWorkOrder, type WorkOrder, type WorkReport } from './work-order.ts';

const title = 'fanout-bench worker';

/** A worker thread a task. */
export const workerThreads: OpenExecutor = async (context) =>
  workers(context, context.bundles.worker(context.bundle, context.client), {
    workerType: 'thread',
    workerThreadOpts: { name: title, execArgv: [], env: environmentOf(context) },
  });

/** A child process a task. */
export const workerProcesses: OpenExecutor = async (context) =>
  workers(context, context.bundles.worker(context.bundle, context.client), processOptions(context, []));

/** A child process a task, and in it an isolate. */
export const isolatesInProcesses: OpenExecutor = async (context) =>
  workers(
    context,
    context.bundles.isolateWorker(context.client),
    // isolated-vm's documentation asks for it.
    processOptions(context, ['--no-node-snapshot']),
    { source: await context.bundles.isolateSource(context.bundle) },
  );

function processOptions(context: ExecutionContext, execArgv: readonly string[]): WorkerPoolOptions {
  return {
    workerType: 'process',
    forkOpts: {
      execArgv: [`--title=${title}`, ...execArgv],
      env: environmentOf(context),
      // Bytes survive, and 20 MB take 54 ms instead of 14 s.
      serialization: 'advanced',
    },
  };
}

/** Only the SDK needs credentials; everything else gets an environment with nothing in it. */
function environmentOf({ task, awsEnvironment }: ExecutionContext): Record<string, string> {
  return task.uses === 'sdk' ? { ...awsEnvironment } : {};
}

interface Worker {
  readonly pool: Pool;
  /** Kills it; a second call gives the first one's promise. */
  readonly terminate: () => Promise<void>;
}

/** Ends by itself what has lain idle for long. */
const shelf = new Shelf<Worker>({
  ...shelfDefaults,
  room: workersRoom,
  dispose: (worker) => worker.terminate(),
  isAlive: ({ pool }) => !hasDied(pool),
});

/**
 * workerpool hands the next task to whichever worker is done first, so a pool of one a task is what makes it certain
 * which worker has it: a fresh one, or with `pool=warm` one that lies idle.
 */
async function workers(
  context: ExecutionContext,
  script: string,
  options: WorkerPoolOptions,
  extra: Pick<IsolateWorkOrder, 'source'> | Record<string, never> = {},
): Promise<Executor> {
  const { pool, originNs, settings } = context;
  // What sends nothing has no sockets, of which it could have too many.
  const made = [context.bundle, script, options, context.task.uses === 'nothing' ? null : settings];
  const key = pool === 'warm' ? keyOf(...made) : null;
  const madeHere = new WeakSet<Worker>();
  const leave = await workersRoom.reserve(context.concurrency, key, context.maxWorkers);

  async function execute(handle: TaskHandle): Promise<void> {
    const { item: worker, reused: found } = shelf.takeOrMake(key, () => makeWorker(script, options));
    if (!found) madeHere.add(worker);
    const reused = !madeHere.has(worker);
    let sound = false;
    const stop = (): void => void worker.terminate();
    handle.signal.addEventListener('abort', stop, { once: true });
    const { input, traceparent } = handle;
    const order: WorkOrder = { input, originNs, traceparent, settings, keep: key !== null, ...extra };
    try {
      handle.returned({ ...(await work(worker.pool, order, handle)), reused });
      sound = !handle.signal.aborted;
    } catch (error) {
      handle.crashed(firstLine(error instanceof Error ? error.message : String(error)));
    }
    handle.signal.removeEventListener('abort', stop);
    if (sound && key !== null) return shelf.give(key, worker);
    await worker.terminate();
  }

  return { execute, close: async () => leave() };
}

function makeWorker(script: string, options: WorkerPoolOptions): Worker {
  const pool = workerpool.pool(script, {
    ...options,
    maxWorkers: 1,
    // The default waits a second for a busy worker before it is killed; 0 would mean the default.
    workerTerminateTimeout: 1,
  });
  return { pool, terminate: once(() => terminate(pool)) };
}

async function terminate(pool: Pool): Promise<void> {
  // workerpool would wait for the exit of a dead one for ever.
  if (!hasDied(pool)) await pool.terminate(true);
}

/**
 * Whether the pool's worker died while it had nothing to do, which workerpool notices but tells nobody: its list of
 * workers is private. A test kills one.
 */
function hasDied(pool: Pool): boolean {
  const list: unknown = Reflect.get(pool, 'workers');
  return Array.isArray(list) && list.some((worker: unknown) => isTerminated(worker));
}

function isTerminated(worker: unknown): boolean {
  return (
    typeof worker === 'object' && worker !== null && 'terminated' in worker && worker.terminated === true
  );
}

/** @throws Error when the worker dies, or sends what is no start or no report */
async function work(pool: Pool, order: WorkOrder, handle: TaskHandle): Promise<WorkReport> {
  const { promise: spoiled, reject: spoil } = Promise.withResolvers<never>();
  // Called by workerpool, which would let what it throws end the runner.
  const on = (event: unknown): void => {
    const { data: started } = startedEventSchema.safeParse(event);
    if (started === undefined) spoil(new Error('the worker sent what is no start of a task'));
    else handle.started({ ...started, attempts: null });
  };
  const report: unknown = await Promise.race([pool.exec(workMethod, [order], { on }), spoiled]);
  const { data: parsed } = workReportSchema.safeParse(report);
  if (parsed === undefined) throw new Error('the worker sent what is no report of a task');
  return parsed;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function once<T>(act: () => T): () => T {
  let done: { readonly value: T } | null = null;
  return () => (done ??= { value: act() }).value;
}
