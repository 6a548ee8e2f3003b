import workerpool, { type Pool, type WorkerPoolOptions } from 'workerpool';
import type { ExecutionContext, Executor, OpenExecutor, TaskHandle } from './executor.ts';
import { workReportSchema } from './work-report.ts';
import {
  workMethod,
  type IsolateWorkOrder,
  type StartedEvent,
  type WorkOrder,
  type WorkReport,
} from './work-order.ts';

const title = 'fanout-bench worker';

/** A fresh worker thread a task. */
export const freshThreads: OpenExecutor = async (context) =>
  freshWorkers(context, context.bundles.worker(context.bundle, context.client), {
    workerType: 'thread',
    workerThreadOpts: { name: title, execArgv: [], env: environmentOf(context) },
  });

/** A fresh child process a task. */
export const freshProcesses: OpenExecutor = async (context) =>
  freshWorkers(context, context.bundles.worker(context.bundle, context.client), processOptions(context, []));

/** A fresh child process a task, and in it a fresh isolate. */
export const isolatesInFreshProcesses: OpenExecutor = async (context) =>
  freshWorkers(
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

/**
 * workerpool hands the next task to whichever worker is done first, so a pool of one a task is what makes a
 * fresh worker a task certain.
 */
function freshWorkers(
  context: ExecutionContext,
  script: string,
  options: WorkerPoolOptions,
  extra: Pick<IsolateWorkOrder, 'source'> | Record<string, never> = {},
): Executor {
  async function execute(handle: TaskHandle): Promise<void> {
    const pool = workerpool.pool(script, {
      ...options,
      maxWorkers: 1,
      // The default waits a second for a busy worker before it is killed; 0 would mean the default.
      workerTerminateTimeout: 1,
    });
    const terminate = once(() => pool.terminate(true));
    const stop = (): void => void terminate();
    handle.signal.addEventListener('abort', stop, { once: true });
    const order: WorkOrder = {
      input: handle.input,
      originNs: context.originNs,
      traceparent: handle.traceparent,
      settings: context.settings,
      ...extra,
    };
    try {
      handle.returned(await work(pool, order, handle));
    } catch (error) {
      handle.crashed(firstLine(error instanceof Error ? error.message : String(error)));
    }
    handle.signal.removeEventListener('abort', stop);
    await terminate();
  }

  return { execute, close: async () => undefined };
}

/** @throws Error when the worker dies, or sends what is no report */
async function work(pool: Pool, order: WorkOrder, handle: TaskHandle): Promise<WorkReport> {
  const report: unknown = await pool.exec(workMethod, [order], {
    on: (event: StartedEvent) => handle.started({ ...event, attempts: null }),
  });
  return workReportSchema.parse(report);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function once<T>(act: () => T): () => T {
  let done: { readonly value: T } | null = null;
  return () => (done ??= { value: act() }).value;
}
