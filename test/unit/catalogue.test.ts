import { describe, expect, it } from 'vitest';
import { strategyCards, workloadCards } from '../../src/bench/catalogue.ts';
import { targetAt, worldOf } from '../support/run-on-runner.ts';

const world = worldOf(targetAt(null), { maxTasks: 50, runTimeoutMs: 9_000 });

describe('the catalogue', () => {
  it('tells parameters with the bounds and defaults that this configuration has', () => {
    expect(cardOf('fib').parameters).toMatchObject({
      tasks: { minimum: 1, maximum: 50, default: 10 },
      timeoutMs: { maximum: 9_000, default: 9_000 },
      n: { minimum: 0, maximum: 60, default: 30 },
    });
  });

  it('offers a client only where one has an effect', () => {
    expect(cardOf('fib').parameters).not.toHaveProperty('client');
    expect(cardOf('s3').parameters).toHaveProperty('client.default', 'got');
  });

  it('lists as shared only what holds with every client and pool', () => {
    for (const name of ['http', 's3', 'bedrock', 'sts']) {
      const shared = new Map(cardOf(name).sharedSettings.map(({ setting, value }) => [setting, value]));
      expect(shared.get('protocol')).toMatch(/^HTTP\/1\.1/u);
      // One client is on node:http, another on sockets of its own.
      expect(shared.get('protocol')).not.toContain('node:http');
      for (const kept of ['sockets', 'client']) {
        expect(shared.get(kept)).toMatch(/\brun, with pool=warm .*from run to run/u);
      }
    }
  });

  it('has every strategy of a workload, the impossible ones with the reason', () => {
    const refused = cardOf('s3').strategies.filter(({ possible }) => !possible);
    expect(refused.map(({ strategy }) => strategy)).toEqual([
      'sdk-isolate',
      'sdk-isolate-threads',
      'sdk-isolate-subprocess',
    ]);
    for (const { reason } of refused) expect(reason).toContain('Node APIs');
    expect(cardOf('fib').strategies.every(({ possible, reason }) => possible && reason === null)).toBe(true);
  });

  it('says where an isolate asks its host, and on which thread it goes on', () => {
    expect(cardOf('fib').strategies.filter((one) => one.bridged)).toEqual([]);
    expect(
      cardOf('http')
        .strategies.filter((one) => one.bridged)
        .map(({ strategy }) => strategy),
    ).toEqual(['isolate', 'isolate-threads', 'isolate-subprocess']);
    const bridged = cardOf('s3').strategies.filter((one) => one.bridged);
    expect(bridged.map(({ strategy, resumesOn }) => [strategy, resumesOn])).toEqual([
      ['presigned-isolate', 'isolated-vm thread'],
      ['presigned-isolate-threads', 'isolated-vm thread'],
      ['presigned-isolate-subprocess', 'isolated-vm thread'],
    ]);
  });

  it('says where nothing could be kept from run to run, by pool', () => {
    const refusal = { cold: null, warm: expect.stringContaining('could be kept') };
    for (const name of ['fib', 'sleep']) {
      expect(cardOf(name).strategies.map(({ strategy, pools }) => [strategy, pools])).toEqual(
        world.strategies.map(({ declaration: { name: strategy } }) => [
          strategy,
          ['single', 'async'].includes(strategy) ? refusal : { cold: null, warm: null },
        ]),
      );
    }
    for (const { possible, pools, reason } of cardOf('s3').strategies) {
      expect(pools).toEqual(possible ? { cold: null, warm: null } : { cold: reason, warm: reason });
    }
  });

  it('lists the settings that both accesses share', () => {
    const settings = cardOf('s3').sharedSettings.map(({ setting }) => setting);
    expect(settings).toEqual(
      expect.arrayContaining(['attempts', 'sockets', 'protocol', 'checksums', 'body']),
    );
  });

  it('says what a workload that can not run lacks', () => {
    expect(cardOf('s3').missing).toBeNull();
    const bare = worldOf(targetAt(null, { bucket: null }));
    expect(workloadCards(bare).find(({ name }) => name === 's3')?.missing).toContain('S3_BUCKET');
  });

  it('is the same matrix from the side of the strategies', () => {
    const fromWorkloads = workloadCards(world).flatMap(({ name, strategies }) =>
      strategies.map((one) => ({ workload: name, ...one })),
    );
    const fromStrategies = strategyCards(world).flatMap(({ workloads }) =>
      Object.entries(workloads).flatMap(([workload, cells]) => cells.map((one) => ({ workload, ...one }))),
    );
    expect(fromStrategies).toHaveLength(fromWorkloads.length);
    expect(fromStrategies).toEqual(expect.arrayContaining(fromWorkloads));
  });
});

function cardOf(workload: string) {
  const card = workloadCards(world).find(({ name }) => name === workload);
  if (card === undefined) throw new Error(`there is no card for ${workload}`);
  return card;
}

describe('what is declared', () => {
  it('has one baseline, with one task after another on a main thread', () => {
    const baselines = world.strategies.filter(({ declaration }) => declaration.baseline);
    expect(baselines.map(({ declaration }) => [declaration.tasksAtOnce, declaration.runsOn])).toEqual([
      ['one', 'main-thread'],
    ]);
  });

  it.each(world.workloads.map(({ declaration }) => declaration))(
    'has what decides whether answers are told among the parameters: $name',
    ({ answersParameter, params }) => {
      const kind = answersParameter === null ? 'boolean' : params[answersParameter]?.kind;
      expect(kind).toBe('boolean');
    },
  );
});
