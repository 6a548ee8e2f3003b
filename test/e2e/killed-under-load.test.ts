import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { failedRunSchema, runListSchema } from '../../src/http/schemas.ts';
import { loadTest, summaryOf } from '../support/k6.ts';
import { descendantsOf } from '../support/processes.ts';
import { startTracedService } from '../support/traced-service.ts';

interface Case {
  /** What is killed, as its process calls itself. */
  readonly victim: 'runner' | 'worker' | 'emulator';
  readonly path: string;
  readonly perSecond: number;
  /** At most so many runs fail: all that were in flight, or the one whose worker it was. */
  readonly mostFailed: number;
  readonly outcomes: readonly string[];
  readonly taskErrors: readonly string[];
  /** So many milliseconds after the kill there is nothing for a run that starts yet. */
  readonly awayMs: number;
}

const cases: readonly Case[] = [
  {
    victim: 'runner',
    path: '/bench/sleep?ms=200&tasks=3',
    perSecond: 20,
    // As many as there can be at once.
    mostFailed: 16,
    outcomes: ['runner_crashed'],
    taskErrors: ['runner_crashed'],
    // A run waits for the next runner, and starts when it is there.
    awayMs: 0,
  },
  {
    victim: 'worker',
    path: '/bench/sleep?strategy=subprocess&ms=700&tasks=2',
    perSecond: 2,
    mostFailed: 1,
    outcomes: ['tasks_failed'],
    taskErrors: ['worker_crashed'],
    awayMs: 0,
  },
  {
    victim: 'emulator',
    path: '/bench/s3?strategy=presigned-async&tasks=3',
    perSecond: 10,
    // Those in flight, and those of two seconds.
    mostFailed: 16 + 20,
    outcomes: ['tasks_failed', 'upstream_unavailable'],
    taskErrors: ['connection_failed', 'upstream_unavailable'],
    awayMs: 2_000,
  },
];

let folder: string;
let bench: Awaited<ReturnType<typeof startTracedService>>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanout-bench-killed-'));
  bench = await startTracedService({ MAX_RUNS_KEPT: '1000', TMPDIR: folder });
});
afterEach(async () => {
  await bench.stop();
  await rm(folder, { recursive: true });
});

describe.runIf(process.platform === 'linux')('kill -9 under load', () => {
  it.each(cases)(
    '$victim: fails the runs that it was needed for, and no other; all is as it was',
    async ({ victim, path, perSecond, mostFailed, outcomes, taskErrors, awayMs }) => {
      const { service } = bench;
      await service.run(path);
      const before = await settledLevel(service.pid);

      const loaded = loadTest(
        `npm run load -- soak --url ${service.url} --rate ${perSecond} --duration 8s --runs '${path}'`,
        { P95_MS: '60000' },
      );
      await expect
        .poll(async () => (await runs()).length, { timeout: 30_000 })
        .toBeGreaterThan(2 * perSecond);
      const killedAtMs = await killNewest(victim);
      const { requests } = summaryOf(await loaded);

      const all = await runs();
      const failed = all.filter(({ outcome }) => outcome !== 'ok');
      expect(failed.length).toBeGreaterThan(0);
      expect(failed.length).toBeLessThanOrEqual(mostFailed);
      for (const run of failed) {
        const startedAtMs = Date.parse(run.startedAt);
        // The clock is told to the millisecond, and the kill is noted a little before and after.
        expect(startedAtMs).toBeLessThan(killedAtMs + awayMs + clockMs);
        expect(startedAtMs + run.durationMs).toBeGreaterThan(killedAtMs - clockMs);
        expect(outcomes).toContain(run.outcome);
      }
      // k6 heard of each, and of nothing else. The first run was not its own.
      expect(requests).toMatchObject({
        sent: all.length - 1,
        answered200: all.length - 1 - failed.length,
        answeredOtherwise: failed.length,
        unanswered: 0,
        dropped: 0,
      });
      for (const { id } of failed) {
        const told = failedRunSchema.parse(JSON.parse((await service.get(`/runs/${id}`)).text));
        expect([told.status, outcomes.includes(told.code)]).toEqual([502, true]);
        await expectSpans(told, taskErrors);
      }
      expect((await service.get('/readyz')).status).toBe(200);
      expect((await service.run(path)).outcome).toBe('ok');
      // The connections of this test itself stay open for some seconds.
      await expect.poll(() => levelOf(service.pid), { timeout: 20_000 }).toEqual(before);
    },
  );
});

const clockMs = 100;

async function runs() {
  const { runs: kept } = runListSchema.parse(JSON.parse((await bench.service.get('/runs')).text));
  return kept;
}

/** Kills the youngest, which has most of its work before it; gives when. */
async function killNewest(victim: string): Promise<number> {
  for (;;) {
    const newest = descendantsOf(bench.service.pid)
      .filter(({ title }) => title.startsWith(`fanout-bench ${victim}`))
      .toSorted((a, b) => a.pid - b.pid)
      .at(-1);
    if (newest === undefined) {
      await wait(5);
      continue;
    }
    process.kill(newest.pid, 'SIGKILL');
    return Date.now();
  }
}

/** The run's span and its tasks' say what its answer says. */
async function expectSpans(
  { outcome, tasks, trace: { traceId } }: z.infer<typeof failedRunSchema>,
  taskErrors: readonly string[],
): Promise<void> {
  const { receiver } = bench;
  // The server's, the run's, the signing's where it came to that.
  await receiver.received(2 + tasks.length, traceId);
  const run = receiver.byTrace(traceId).find(({ name }) => name.startsWith('run '));
  expect([run?.status.code, run?.attributes['error.type']]).toEqual(['ERROR', outcome]);
  const told = receiver
    .taskSpans(traceId)
    .map(({ status, attributes }) => [status.code, attributes['error.type'] ?? null]);
  expect(told).toEqual(tasks.map(({ error }) => (error === null ? ['UNSET', null] : ['ERROR', error.code])));
  const codes = tasks.flatMap(({ error }) => (error === null ? [] : [error.code]));
  expect(codes.length).toBeGreaterThan(0);
  for (const code of codes) expect(taskErrors).toContain(code);
}

/** What a service has: processes, by what they are, threads in each, open files and sockets of its own, temporary files. */
async function levelOf(servicePid: number) {
  const processes = descendantsOf(servicePid).map(({ pid, title }) => {
    const threads = readdirSync(`/proc/${pid}/task`).length;
    return `${/^fanout-bench \w+/u.exec(title)?.[0] ?? title}, ${threads} threads`;
  });
  return {
    processes: processes.toSorted(),
    threads: (await readdir(`/proc/${servicePid}/task`)).length,
    handles: (await readdir(`/proc/${servicePid}/fd`)).length,
    temporaryFiles: await readdir(folder),
  };
}

/** The same for half a second: nothing of an earlier run is being closed. */
async function settledLevel(servicePid: number): Promise<Awaited<ReturnType<typeof levelOf>>> {
  for (let level = await levelOf(servicePid); ;) {
    await wait(500);
    const later = await levelOf(servicePid);
    if (JSON.stringify(later) === JSON.stringify(level)) return later;
    level = later;
  }
}
