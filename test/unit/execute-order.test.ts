import { afterEach, describe, expect, it, vi } from 'vitest';
import { planRun } from '../../src/bench/plan.ts';
import { bundlesIn } from '../../src/execution/bundles.ts';
import { executeOrder } from '../../src/runner/execute-order.ts';
import type { FromRunner, RunOrder } from '../../src/runner/messages.ts';
import { distFolder, targetAt, worldOf } from '../support/run-on-runner.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('an order that cannot be executed', () => {
  it('for a fault of the program is not blamed on the upstream', async () => {
    const plan = { ...planOf('fib', { strategy: 'async' }), workload: 'nothing-of-the-kind' };
    expect(await execute({ plan })).toMatchObject([{ type: 'refused', code: 'runner_crashed' }]);
  });

  it('for an upstream that is not there names what was asked of it, and its own code', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const plan = planOf('s3', { strategy: 'sdk-async' });
    const [refused] = await execute({ plan });
    expect(refused).toMatchObject({
      type: 'refused',
      code: 'upstream_unavailable',
      upstreamCode: 'ECONNREFUSED',
    });
    expect(refused).toMatchObject({
      message: expect.stringContaining('Listing s3://fanout-bench/photos/ failed'),
    });
  });
});

describe('a run', () => {
  it('leaves no timer behind, also when its requests could not be signed', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    const plan = planOf('sts', { strategy: 'presigned-async' });
    const begun = vi.spyOn(globalThis, 'setInterval');
    const ended = vi.spyOn(globalThis, 'clearInterval');
    for (let run = 0; run < 3; run += 1)
      expect((await execute({ plan })).at(-1)).toMatchObject({ code: 'upstream_unavailable' });
    expect((await execute({ plan: planOf('fib', { n: '1' }) })).at(-1)).toMatchObject({ finished: {} });
    const timers = begun.mock.results.map(({ value }) => value);
    expect(timers.length).toBeGreaterThanOrEqual(4);
    expect(ended.mock.calls.map(([timer]) => timer)).toEqual(timers);
  });

  it('that was given up before anything of it began is over at once', async () => {
    const plan = planOf('sts', { strategy: 'presigned-async', tasks: '1' });
    const told = await execute({ plan }, new Set(), AbortSignal.abort('cancelled'));
    expect(told).toMatchObject([
      { type: 'news', started: [], ended: [], finished: { load: { cpuMs: null } } },
    ]);
  });

  it('says that it is the first of its kind in its process, and the next one does not', async () => {
    const kindsRun = new Set<string>();
    const plan = planOf('fib', { strategy: 'async', tasks: '1', n: '1' });
    const [first, second] = [await execute({ plan }, kindsRun), await execute({ plan }, kindsRun)];
    expect(first[0]).toMatchObject({ begun: { warnings: [{ code: 'first_run' }] } });
    expect(second[0]).toMatchObject({ begun: { warnings: [] } });
  });
});

// Nothing listens on port 1.
const target = targetAt('http://127.0.0.1:1');

function planOf(workload: string, given: Readonly<Record<string, string>>): RunOrder['plan'] {
  return planRun({ workload, given, problems: [] }, worldOf(target));
}

async function execute(
  { plan }: Pick<RunOrder, 'plan'>,
  kindsRun = new Set<string>(),
  signal = new AbortController().signal,
): Promise<readonly FromRunner[]> {
  const sent: FromRunner[] = [];
  const originNs = String(process.hrtime.bigint());
  const order: RunOrder = { runId: 'run', plan, target, originNs, maxWorkers: 64, traceparents: null };
  const world = {
    bundles: bundlesIn(distFolder),
    awsEnvironment: {},
    kindsRun,
    send: (message: FromRunner) => void sent.push(message),
    flush() {},
  };
  await executeOrder(order, world, signal);
  return sent;
}
