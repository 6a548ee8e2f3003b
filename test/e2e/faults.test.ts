import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { commonFaults, modelFaults } from '../../src/emulator/faults.ts';
import { workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { failedRunSchema, runSchema } from '../../src/http/schemas.ts';
import { descendantsOf } from '../support/processes.ts';
import { childrenOf, workerThreadsOf } from '../support/process-table.ts';
import { startService, type RunningService } from '../support/service.ts';

type Told = (typeof told)[number];
type Remote = (typeof remotes)[number];

/** What each task of a run fails with: its code and the upstream's; `null`: it goes well. */
type TaskFailure = readonly [code: string, upstreamCode: string | null] | null;

/** What calls the emulator. `bedrock-stream` is bedrock with `stream=true`. */
const remotes = ['http', 's3', 'sts', 'bedrock', 'bedrock-stream'] as const;

/** The same of a model alone. */
const models = ['bedrock', 'bedrock-stream'] as const;

/** Faults that each task hears of by itself. */
const told = commonFaults.filter((kind) => kind !== 'stall');

const cutOff: TaskFailure = ['body_truncated', null];
const unreadable: TaskFailure = ['wrong_result', null];
const noConnection: TaskFailure = ['connection_failed', 'ECONNRESET'];
const fine: TaskFailure = null;

/** The same for every strategy, access and client: what a task fails with depends on what went wrong, not on who saw it. */
const expected: Readonly<Record<Told, Readonly<Record<Remote, TaskFailure>>>> = {
  truncate: everywhere(cutOff),
  // In a stream the answer had begun.
  reset: { ...everywhere(noConnection), 'bedrock-stream': cutOff },
  error: refused(['500', 'InternalError', 'InternalFailure', 'InternalServerException']),
  throttle: refused(['429', 'SlowDown', 'Throttling', 'ThrottlingException']),
  unavailable: refused(['503', 'ServiceUnavailable', 'ServiceUnavailable', 'ServiceUnavailableException']),
  // Only what comes with a digest or checksum can be checked: XML and JSON answers of STS and Bedrock have none.
  corrupt: { ...everywhere(unreadable), sts: fine, bedrock: fine },
  malformed: everywhere(unreadable),
  slow: everywhere(fine),
};

const tasks = 2;
const timeoutMs = 1_000;
/** To stop what runs, and to tell: far more than it takes, for machines with much else to do. */
const graceMs = 5_000;

let service: RunningService;

describe.each(told)('%s', (fault) => {
  serveWith(fault);

  it.each(remotes)(
    '%s: every strategy and client ends by itself, each task with its code',
    async (remote) => {
      const failure = expected[fault][remote];
      expectAll(await runAll(await pathsOf(remote)), { ...endingOf(failure), failure, attempts: 1 });
    },
  );

  it('leaves a service that is well, and no worker', expectAllWell);
});

describe('malformed, again and again', () => {
  serveWith('malformed');

  it('bedrock-stream: takes no socket from the next run of a warm pool', async () => {
    const paths = await pathsOf('bedrock-stream', '&pool=warm&timeoutMs=10000');
    for (let round = 0; round < 3; round += 1) {
      expectAll(await runAll(paths), { ...endingOf(unreadable), failure: unreadable, attempts: 1 });
    }
  });
});

describe('stall', () => {
  serveWith('stall');

  it.each(remotes)('%s: no strategy or client hangs past timeoutMs', async (remote) => {
    const runs = await runAll(await pathsOf(remote, `&timeoutMs=${timeoutMs}`));
    // How far a task came before the time was over is not said.
    expectAll(runs, { status: 504, outcome: 'run_timeout', failure: ['run_timeout', null], attempts: null });
    const late = runs.filter(({ body }) => body.durationMs > timeoutMs + graceMs);
    expect(late.map(({ path }) => path)).toEqual([]);
  });

  it('leaves a service that is well, and no worker', expectAllWell);
});

describe.each(modelFaults)('%s', (fault) => {
  serveWith(fault);

  it.each(models)('%s: no answer is valid, and each task says so', async (remote) => {
    const runs = await runAll(await pathsOf(remote, '&join=first-valid&validate=json'));
    const failure = ['invalid_answer', null] as const;
    expectAll(runs, { status: 502, outcome: 'no_valid_answer', failure, attempts: 1 });
  });

  it('leaves a service that is well, and no worker', expectAllWell);
});

describe.each(['reset', 'throttle'] as const)('%s of the first attempt', (fault) => {
  serveWith(`${fault}@*#1`);

  it.each(remotes)('%s: a second attempt helps, and is told', async (remote) => {
    const runs = await runAll(await pathsOf(remote, '&attempts=2'));
    expectAll(runs, { ...endingOf(fine), failure: fine, attempts: 2 });
  });

  it('leaves a service that is well, and no worker', expectAllWell);
});

function serveWith(faults: string): void {
  beforeAll(async () => {
    const list = faults.includes('@') ? faults : `${faults}@*`;
    service = await startService({ EMULATOR_FAULTS: list, EMULATOR_LATENCY_MS: '2' });
  });
  afterAll(() => service.stop());
}

async function expectAllWell(): Promise<void> {
  expect((await service.get('/healthz')).status).toBe(200);
  expect((await service.get('/readyz')).status).toBe(200);
  for (const strategy of ['single', 'threads', 'subprocess', 'isolate-threads']) {
    await service.run(`/bench/fib?n=10&strategy=${strategy}&tasks=${tasks}`);
  }
  await expect.poll(() => workersBelow(service.pid), { timeout: 10_000 }).toEqual([]);
}

function everywhere(failure: TaskFailure): Readonly<Record<Remote, TaskFailure>> {
  return { http: failure, s3: failure, sts: failure, bedrock: failure, 'bedrock-stream': failure };
}

/** An error of the service itself, by the code that each has for it. A page has but its status. */
function refused([http, s3, sts, bedrock]: readonly [string, string, string, string]) {
  return {
    http: upstreamError(http),
    s3: upstreamError(s3),
    sts: upstreamError(sts),
    bedrock: upstreamError(bedrock),
    'bedrock-stream': upstreamError(bedrock),
  };
}

function upstreamError(upstreamCode: string): TaskFailure {
  return ['upstream_error', upstreamCode];
}

function endingOf(failure: TaskFailure): { readonly status: number; readonly outcome: string } {
  return failure === fine ? { status: 200, outcome: 'ok' } : { status: 502, outcome: 'tasks_failed' };
}

/** A run with every strategy that the service says is possible, and with every client where there is a choice. */
async function pathsOf(remote: Remote, more = ''): Promise<readonly string[]> {
  const { workloads } = workloadsSchema.parse(JSON.parse((await service.get('/workloads')).text));
  const [name = '', stream] = remote.split('-');
  const streamed = stream === undefined ? '' : '&stream=true';
  const possible = (workloads.find((workload) => workload.name === name)?.strategies ?? []).filter(
    (strategy) => strategy.possible,
  );
  expect(possible.length).toBeGreaterThan(0);
  return possible.flatMap(({ strategy }) =>
    variantsOf(name, strategy).map(
      (variant) => `/bench/${name}?strategy=${strategy}&tasks=${tasks}${variant}${streamed}${more}`,
    ),
  );
}

/** Both operations of Bedrock with each strategy, though not with each client. */
function variantsOf(workload: string, strategy: string): readonly string[] {
  const [got, undici] = ['&client=got', '&client=undici'];
  const [converse, invoke] = workload === 'bedrock' ? ['&op=converse', '&op=invoke'] : ['', ''];
  if (!strategy.startsWith('sdk-')) return [got + converse, undici + invoke];
  return [...new Set([converse, invoke])];
}

interface Finished {
  readonly path: string;
  readonly status: number;
  readonly body: z.infer<typeof runSchema | typeof failedRunSchema>;
}

/** A few at a time, which is faster, and harder on what they share. */
async function runAll(paths: readonly string[]): Promise<readonly Finished[]> {
  const waiting = [...paths];
  const finished: Finished[] = [];
  const takeTurns = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const { status, text } = await service.get(path);
      const schema = status === 200 ? runSchema : failedRunSchema;
      finished.push({ path, status, body: schema.parse(JSON.parse(text)) });
    }
  };
  await Promise.all(Array.from({ length: 4 }, takeTurns));
  return finished;
}

interface Ending {
  readonly status: number;
  readonly outcome: string;
  readonly failure: TaskFailure;
  /** Of each task; `null`: any. */
  readonly attempts: number | null;
}

/** All at once, so that a failure shows each run that is not as it should be. */
function expectAll(runs: readonly Finished[], { status, outcome, failure, attempts }: Ending): void {
  const given = runs.map(({ path, status: answered, body }) => [
    path,
    answered,
    body.outcome,
    'code' in body ? body.code : null,
    body.tasks.map(({ state, error, attempts: sent }) => [
      state,
      error?.code,
      error?.upstreamCode,
      attempts === null ? null : sent,
    ]),
  ]);
  const [code, upstreamCode] = failure ?? [];
  const task = [failure === null ? 'ok' : 'failed', code, upstreamCode, attempts];
  const problem = status === 200 ? null : outcome;
  expect(given).toEqual(
    runs.map(({ path }) => [path, status, outcome, problem, Array.from({ length: tasks }, () => task)]),
  );
}

/** Processes and, on Linux, threads. */
function workersBelow(pid: number): readonly string[] {
  const processes = descendantsOf(pid).map(({ title }) => title);
  const threads = childrenOf(pid, 'fanout-bench runner').map((runner) =>
    process.platform === 'linux' ? workerThreadsOf(runner) : 0,
  );
  return [
    ...processes.filter((title) => title.startsWith('fanout-bench worker')),
    ...threads.filter((count) => count > 0).map((count) => `${count} threads`),
  ];
}
