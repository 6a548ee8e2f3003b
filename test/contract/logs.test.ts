import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startService, type RunningService } from '../support/service.ts';

const lineSchema = z.looseObject({
  level: z.int(),
  time: z.iso.datetime(),
  msg: z.string(),
  runId: z.string().optional(),
});

describe('the log, where it is read by machines', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  function lines(): z.infer<typeof lineSchema>[] {
    return service.log.map((line) => lineSchema.parse(JSON.parse(line)));
  }

  /** The lines of a run, waited for: they are written after its answer. */
  async function linesOf(id: string): Promise<z.infer<typeof lineSchema>[]> {
    const told = (): z.infer<typeof lineSchema>[] => lines().filter(({ runId }) => runId === id);
    await expect.poll(told).not.toEqual([]);
    return told();
  }

  it('has one line a run, with the ids of the trace that its answer names', async () => {
    const { run, trace, durationMs } = await service.run('/bench/fib?n=5&tasks=2&strategy=threads');
    expect(await linesOf(run.id)).toEqual([
      {
        level: 30,
        time: expect.any(String),
        runId: run.id,
        trace_id: trace.traceId,
        span_id: trace.spanId,
        trace_flags: '00',
        workload: 'fib',
        strategy: 'threads',
        outcome: 'ok',
        status: 200,
        durationMs,
        msg: `fib threads ×2: ok in ${durationMs} ms`,
      },
    ]);
  });

  it('warns of a run that failed, with its code and status', async () => {
    const { run } = await service.failedRun('/bench/sleep?strategy=async&ms=5000&tasks=1&timeoutMs=30', 504);
    expect(await linesOf(run.id)).toMatchObject([{ level: 40, outcome: 'run_timeout', status: 504 }]);
  });

  it('has no line for what was refused, however often, or for what no run was asked', async () => {
    const first = await service.run('/bench/fib?n=5&tasks=1');
    await linesOf(first.run.id);
    const before = service.log.length;
    const quiet = ['/bench/nope', '/bench/fib?n=x', '/nope', '/metrics', '/healthz', '/runs'];
    for (const path of [...quiet, ...quiet]) await service.get(path);
    // What is said after them shows that nothing is still on its way.
    const { run } = await service.run('/bench/fib?n=5&tasks=1');
    await linesOf(run.id);
    expect(service.log.length).toBe(before + 1);
  });
});
