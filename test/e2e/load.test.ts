import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { workloadsSchema } from '../../src/http/catalogue-schemas.ts';
import { runListSchema } from '../../src/http/schemas.ts';
import { loadTest, startLoadTest, summaryOf } from '../support/k6.ts';
import { descendantsOf, leftOverOf } from '../support/processes.ts';
import { startJaeger, type Jaeger } from '../support/real-servers.ts';
import { startService, type RunningService } from '../support/service.ts';

/** The scripts of deploy/k6 with a real k6 against the real service, by the commands that are written down. */
const folder = join(import.meta.dirname, '../../deploy/k6');
const tests = ['smoke', 'load', 'stress', 'soak', 'strategies'];
/** As written, but shorter: their length is a parameter. A busy machine may take its time. */
const soon = { P95_MS: '60000' };

let jaeger: Jaeger;
let service: RunningService;
beforeAll(async () => {
  jaeger = await startJaeger();
  service = await startService({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl,
    MAX_RUNS_KEPT: '500',
  });
});
afterAll(async () => {
  await service.stop();
  await jaeger.stop();
});

function shortened(command: string): string {
  return command.replace(/(DURATION=|--duration )\S+/u, '$13s');
}

/** The command in README.md that has this in it, shortened. */
function written(part: string): string {
  const found = commandsOfReadme().filter((command) => command.includes(part));
  const [command] = found;
  if (command === undefined || found.length > 1) throw new Error(`${found.length} commands have ${part}`);
  return shortened(command);
}

function commandsOfReadme(): readonly string[] {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  return [...readme.matchAll(/^ {4}(\S.*)$/gmu)].map(([, command]) => command ?? '');
}

function headerOf(test: string): string {
  const script = readFileSync(join(folder, `${test}.ts`), 'utf8');
  return /^ \* {5}(k6 run .*)$/mu.exec(script)?.[1] ?? '';
}

describe('the commands of deploy/k6/README.md', () => {
  it('are one for each way to each test, and those of k6 stand in the scripts as well', () => {
    expect(commandsOfReadme().filter((command) => command.startsWith('k6 '))).toEqual(tests.map(headerOf));
    // And two with a container engine, which no test can run.
    const others = commandsOfReadme().filter((command) => !command.startsWith('docker '));
    expect([others.length, commandsOfReadme().length]).toEqual([11, 13]);
  });
});

describe('k6 run', () => {
  it('smoke: asks for every workload with every strategy that is possible, and all is well', async () => {
    const { exitCode, out, summary } = await loadTest(headerOf('smoke'), { BASE_URL: service.url, ...soon });
    expect([exitCode, summary?.passed]).toEqual([0, true]);
    expect(out).toMatch(/^smoke: passed/mu);
    const possible = (await catalogue()).flatMap(({ name, strategies }) =>
      strategies.map((strategy) => `${name} ${strategy}`),
    );
    const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
    expect(runs.map(({ workload, strategy }) => `${workload} ${strategy}`).toSorted()).toEqual(
      possible.toSorted(),
    );
    expect(summary?.requests).toEqual(all200(possible.length));
  });

  it('load: sends each run when it is due, in a trace of its own', async () => {
    const { exitCode, summary } = await loadTest(shortened(headerOf('load')), {
      BASE_URL: service.url,
      RUNS: '/bench/sleep?ms=1&tasks=3',
      ...soon,
    });
    // 10 a second for 3 s, then 15 and 10 a second on average for 1.5 s each; one more or less at the seams.
    expect(exitCode).toBe(0);
    const sent = summary?.requests.sent ?? 0;
    expect(Math.abs(sent - 67)).toBeLessThan(6);
    expect(summary?.requests).toEqual(all200(sent));
    const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
    const own = runs.slice(0, sent);
    expect(new Set(own.map(({ tasks }) => tasks))).toEqual(new Set([3]));
    expect(new Set(own.map(({ traceId }) => traceId)).size).toBe(sent);
  });

  it('soak: mixes runs, and shows the thirds of its time beside each other', async () => {
    const ended = await loadTest(shortened(headerOf('soak')), { BASE_URL: service.url, ...soon });
    expect(ended.exitCode).toBe(0);
    const { sent } = summaryOf(ended).requests;
    expect(ended.summary).toMatchObject({ requests: all200(sent) });
    expect(ended.out).toMatch(/^first third .*\nsecond third .*\nlast third /mu);
    const { runs } = runListSchema.parse(JSON.parse((await service.get('/runs')).text));
    expect(new Set(runs.slice(0, sent).map(({ workload }) => workload)).size).toBe(6);
  });

  it('strategies: runs each in turn, and prints them in a table', async () => {
    const ended = await loadTest(shortened(headerOf('strategies')), { BASE_URL: service.url, ...soon });
    expect(ended.exitCode).toBe(0);
    const told = strategiesSchema.parse(ended.summary).strategies;
    expect(told.map(({ strategy }) => strategy).toSorted()).toEqual(['async', 'single', 'threads']);
    for (const { strategy, answered200, runMs } of told) {
      expect([strategy, answered200 >= 5, runMs.p50 > 0]).toEqual([strategy, true, true]);
      expect(ended.out).toMatch(new RegExp(`^${strategy} +${answered200} +\\d`, 'mu'));
    }
  });

  it('stress: finds a knee no higher than what the service can do', async () => {
    // Four at once for 100 ms each: 40 a second, on any machine.
    const small = await startService({ MAX_RUNS_IN_FLIGHT: '4' });
    try {
      const ended = await loadTest(shortened(headerOf('stress')), {
        BASE_URL: small.url,
        RUNS: '/bench/sleep?ms=100&tasks=1',
        ...soon,
      });
      expect(ended.exitCode).toBe(0);
      const { requests } = summaryOf(ended);
      const { knee, steps } = stressSchema.parse(ended.summary);
      expect(steps.map(({ rate, due }) => [rate, due])).toEqual(
        [10, 20, 40, 80, 160, 320].map((rate) => [rate, 3 * rate]),
      );
      expect(knee).toBeLessThanOrEqual(40);
      expect(requests).toMatchObject({ answeredOtherwise: 0, unanswered: 0 });
      expect(steps.at(-1)?.busy).toBeGreaterThan(0);
      expect(ended.out).toMatch(/^the knee is (?:at|below) \d+ a second/mu);
    } finally {
      await small.stop();
    }
  });
});

describe('npm run load', () => {
  it('names the slowest runs by traces that Jaeger has', async () => {
    const quick = '/bench/sleep?ms=5&tasks=1';
    const slow = '/bench/sleep?ms=2500&tasks=2';
    const ended = await loadTest(
      `${written('load -- load')} --url ${service.url} --runs '${[slow, ...Array.from({ length: 40 }, () => quick)].join(',')}'`,
      { TRACE_URL_TEMPLATE: `${jaeger.queryUrl}/api/traces/{traceId}`, ...soon },
    );
    expect(ended.exitCode).toBe(0);
    const [slowest] = summaryOf(ended).slowest;
    expect(slowest?.run).toBe(slow);
    expect(ended.out).toContain(`  ${slowest?.url}  ${slow}\n`);
    const spans = await jaeger.trace(slowest?.traceId ?? '', { atLeast: 4 });
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'GET /bench/:workload',
      'run sleep async',
      'task sleep 0',
      'task sleep 1',
    ]);
    expect((await fetch(slowest?.url ?? '')).status).toBe(200);
    expect(summaryOf(ended).slowest).toHaveLength(5);
  });

  it('fails when answers take longer than they may', async () => {
    const ended = await loadTest(`${written('load -- load')} --url ${service.url} --p95-ms 0.001`);
    expect(ended.exitCode).toBe(99);
    expect(ended.out).toMatch(/^load: FAILED/mu);
    expect(crossed(summaryOf(ended))).toEqual(['answer_ms p(95)<=0.001']);
  });

  it('fails when a run could not be sent when it was due', async () => {
    const ended = await loadTest(`${written('load -- load')} --url ${service.url} --vus 1`, {
      RUNS: '/bench/sleep?ms=500&tasks=1',
      ...soon,
    });
    expect(ended.exitCode).toBe(99);
    expect(crossed(summaryOf(ended))).toEqual(['dropped_iterations count==0']);
    expect(summaryOf(ended).requests.dropped).toBeGreaterThan(0);
  });

  it('fails when runs fail, and says with what: its own service, with faults', async () => {
    const started = await startLoadTest(written('load -- soak'), {
      EMULATOR_FAULTS: 'error@photos/*',
      ...soon,
    });
    await expect
      .poll(() => descendantsOf(started.pid).map(({ title }) => title), { timeout: 30_000 })
      .toContain('fanout-bench service');
    const processes = descendantsOf(started.pid);
    const ended = await started.ended;
    expect(ended.exitCode).toBe(99);
    expect(crossed(summaryOf(ended))).toEqual(['accepted rate==1']);
    const { answered200, answeredOtherwise, unanswered } = summaryOf(ended).requests;
    expect([answered200 > 0, answeredOtherwise > 0, unanswered]).toEqual([true, true, 0]);
    const { failures } = summaryOf(ended);
    expect(failures).toMatchObject([{ code: 'tasks_failed', count: answeredOtherwise, answered: true }]);
    expect(failures[0]?.first.run).toMatch(/^\/bench\/s3\?/u);
    expect(ended.out).toContain(
      `\n${`${answeredOtherwise}`.padStart(8)}  tasks_failed  ${failures[0]?.first.url}  ${failures[0]?.first.run}\n`,
    );
    expect(ended.err).not.toContain('/bench/s3');
    expect(await leftOverOf(processes)).toEqual([]);
  });

  it('counts what is refused by its code, tells it once, and takes times of what is answered with 200', async () => {
    // One at once, and one waits: all others of some thirty that come while these two take a second are refused.
    const small = await startService({ MAX_RUNS_IN_FLIGHT: '1' });
    try {
      const ended = await loadTest(`${written('load -- load')} --url ${small.url}`, {
        RUNS: '/bench/sleep?ms=500&tasks=1',
        ...soon,
      });
      const { requests, failures, slowest } = summaryOf(ended);
      expect([ended.exitCode, requests.answered503 > 20]).toEqual([99, true]);
      expect(failures.map(({ code, count }) => [code, count])).toEqual([['busy', requests.answered503]]);
      expect(ended.out.match(/busy/gu)).toHaveLength(1);
      expect(ended.err).not.toContain('busy');
      expect(timesSchema.parse(ended.summary).answerMs.p50).toBeGreaterThanOrEqual(500);
      const { runs } = runListSchema.parse(JSON.parse((await small.get('/runs')).text));
      const traces = new Set(runs.map(({ traceId }) => traceId));
      expect(slowest.filter(({ traceId }) => !traces.has(traceId))).toEqual([]);
    } finally {
      await small.stop();
    }
  });

  it('stress fails when the service breaks', async () => {
    const ended = await loadTest(
      `${written('load -- stress').replace('320', '10')} --url ${service.url} --runs /bench/fib?n=99`,
    );
    expect(ended.exitCode).toBe(99);
    expect(crossed(summaryOf(ended))).toEqual(['accepted rate==1']);
  });

  it('smoke: starts a service of its own where it is told of none, and ends it', async () => {
    const ended = await loadTest('npm run load -- smoke');
    expect([ended.exitCode, ended.summary?.passed]).toEqual([0, true]);
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const shown = /^```text\n(smoke: [\s\S]*?)^```$/mu.exec(readme)?.[1] ?? '';
    expect(linesOf(shown)).toEqual(linesOf(/^smoke: [\s\S]*$/mu.exec(ended.out)?.[0] ?? ''));
  });

  it('sums up what there is when it is interrupted, and ends the service that it started', async () => {
    const started = await startLoadTest('exec node dist/load.js soak', soon);
    await expect
      .poll(() => descendantsOf(started.pid).map(({ title }) => title), { timeout: 30_000 })
      .toContainEqual(expect.stringContaining('soak.ts'));
    // The second runner is for isolates, so runs have come.
    await expect
      .poll(() => descendantsOf(started.pid).filter(({ title }) => title === 'fanout-bench runner').length, {
        timeout: 30_000,
      })
      .toBeGreaterThan(1);
    const processes = descendantsOf(started.pid);
    process.kill(started.pid, 'SIGINT');
    const ended = await started.ended;
    expect(ended.exitCode).not.toBe(0);
    expect(summaryOf(ended).requests.sent).toBeGreaterThan(0);
    expect(await leftOverOf(processes)).toEqual([]);
  });

  it('strategies: takes another workload', async () => {
    const ended = await loadTest(`${written('load -- strategies')} --url ${service.url}`, {
      STRATEGIES: 'presigned-async,sdk-async',
      ...soon,
    });
    expect(ended.exitCode).toBe(0);
    expect(strategiesSchema.parse(ended.summary).strategies.map(({ strategy }) => strategy)).toEqual([
      'presigned-async',
      'sdk-async',
    ]);
  });

  it('sends the token, and shows it to nobody', async () => {
    const token = 'a-token-of-16-or-more-characters';
    const guarded = await startService({ BENCH_TOKEN: token });
    try {
      const command = written('smoke --url').replace('http://localhost:8080', guarded.url);
      const started = await startLoadTest(command, { BENCH_TOKEN: token, ...soon });
      await expect
        .poll(() => descendantsOf(started.pid).map(({ title }) => title), { timeout: 30_000 })
        .toContainEqual(expect.stringContaining('smoke.ts'));
      expect(JSON.stringify(descendantsOf(started.pid))).not.toContain(token);
      const ended = await started.ended;
      expect(ended.exitCode).toBe(0);
      expect(ended.out + ended.err + JSON.stringify(ended.summary)).not.toContain(token);
      const without = await loadTest(command, soon);
      expect([without.exitCode, without.summary?.passed ?? false]).toEqual([107, false]);
    } finally {
      await guarded.stop();
    }
  });

  it('says what is wrong with what it was told, and starts nothing', async () => {
    expect(await wrong('npm run load -- lod')).toMatchObject({ exitCode: 2 });
    expect(await wrong('npm run load -- load --rat 5')).toMatchObject({ exitCode: 2 });
    const none = await wrong('npm run load -- load', { K6: '/nowhere/k6' });
    expect([none.exitCode, none.err]).toEqual([
      1,
      'K6: "/nowhere/k6" is not valid; expected the path of k6.\n',
    ]);
    const value = await wrong('npm run load -- load --duration soon');
    expect(value.exitCode).not.toBe(0);
    expect(value.err).toContain('DURATION: \\"soon\\" is not valid');
    for (const [options, message] of [
      ['load --rate 2.5', 'RATE: \\"2.5\\" is not valid; expected a whole number from 1 up.'],
      ['soak --vus 1.5', 'VUS: \\"1.5\\" is not valid; expected a whole number from 1 up.'],
      ['stress --max-rate 1e3', 'MAX_RATE: \\"1e3\\" is not valid; expected a whole number from 1 up.'],
      ['stress --rate 500', 'MAX_RATE: \\"320\\" is not valid; expected a number from RATE, 500, up.'],
    ] as const) {
      const { exitCode, out, err } = await wrong(`npm run load -- ${options}`);
      expect([options, exitCode === 0, out.includes('requests ')]).toEqual([options, false, false]);
      expect(err).toContain(message);
    }
    const unnamed = await wrong(headerOf('strategies').replace(/-e STRATEGIES=\S+/u, ''));
    expect([unnamed.exitCode === 0, unnamed.err.includes('STRATEGIES: \\"\\" is not valid')]).toEqual([
      false,
      true,
    ]);
    const nobody = await wrong('npm run load -- load --url http://127.0.0.1:9');
    const why = 'http://127.0.0.1:9 is not ready: connection refused';
    expect([nobody.exitCode, nobody.summary?.notReady]).toEqual([107, why]);
    expect(nobody.err).toContain(why);
  });

  // `strategies` asks for the catalogue before k6 starts.
  it.each(tests.slice(0, 4))('%s: says that nothing was sent and why, and nothing else', async (test) => {
    const ended = await wrong(`npm run load -- ${test} --url ${service.url}/nowhere`);
    const why = `${service.url}/nowhere is not ready: /readyz was answered with 404`;
    const said = ended.out.slice(ended.out.indexOf(`${test}: FAILED`)).split('\n');
    expect(said).toEqual([expect.stringMatching(/after \d+ s$/u), '', `nothing was sent: ${why}`, '']);
    expect(ended.exitCode).toBe(107);
    expect(ended.summary).toMatchObject({
      passed: false,
      thresholds: [],
      failures: [],
      slowest: [],
      answerMs: { p50: null, p95: null, p99: null, max: null },
    });
  });
});

/** What a summary has besides what differs from one time to the next: its times, its traces and their runs, the order of its thresholds. */
function linesOf(summary: string): ReadonlySet<string> {
  const lasting = summary
    .trimEnd()
    .replaceAll(/\/[0-9a-f]{32} {2}\S+$/gmu, '/TRACE RUN')
    .replaceAll(/\d+\.\d+|(?<=after )\d+/gu, 'TIME')
    .replaceAll(/ +/gu, ' ');
  return new Set(lasting.split('\n'));
}

function wrong(command: string, environment: Readonly<Record<string, string>> = {}) {
  return loadTest(command, { BASE_URL: service.url, ...environment });
}

const times = z.looseObject({ p50: z.number() });
const timesSchema = z.looseObject({ answerMs: times });
const strategiesSchema = z.looseObject({
  strategies: z.array(z.looseObject({ strategy: z.string(), answered200: z.int(), runMs: times })),
});
const stressSchema = z.looseObject({
  knee: z.number().nullable(),
  steps: z.array(z.looseObject({ rate: z.int(), due: z.int(), ok: z.int(), busy: z.int() })),
});

function all200(sent: number): object {
  return {
    sent,
    answered200: sent,
    answered503: 0,
    answeredOtherwise: 0,
    unanswered: 0,
    unansweredRefused: 0,
    dropped: 0,
  };
}

function crossed({ thresholds }: ReturnType<typeof summaryOf>): readonly string[] {
  return thresholds.filter(({ ok }) => !ok).map(({ metric, threshold }) => `${metric} ${threshold}`);
}

/** Workloads, each with the strategies that are possible with it. */
async function catalogue(): Promise<readonly { name: string; strategies: readonly string[] }[]> {
  const { workloads } = workloadsSchema.parse(JSON.parse((await service.get('/workloads')).text));
  return workloads.map(({ name, strategies }) => ({
    name,
    strategies: strategies.filter(({ possible }) => possible).map(({ strategy }) => strategy),
  }));
}
