import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianProgram } from '../support/real-servers-debian.ts';
import { startPrometheus, type Prometheus } from '../support/real-servers-prometheus.ts';
import { startService, type RunningService } from '../support/service.ts';

/** What the service tells, read by a real Prometheus. */
let service: RunningService;
let prometheus: Prometheus;
beforeAll(async () => {
  service = await startService();
  // The service by itself has runs of every kind of metric to tell of before Prometheus looks.
  await service.run('/bench/bedrock?stream=true');
  await service.run('/bench/s3?tasks=4');
  await service.refused('/bench/fib?n=x', 400);
  prometheus = await startPrometheus(service.url);
});
afterAll(async () => {
  await prometheus.stop();
  await service.stop();
});

it('promtool has nothing to say against names, types and help texts', async () => {
  expect(await lint((await service.get('/metrics')).text)).toEqual({ said: '', code: 0 });
});

it('promtool would say it if a counter were named like a gauge', async () => {
  const { said, code } = await lint('# HELP runs Runs.\n# TYPE runs counter\nruns 1\n');
  expect(said).toContain('_total');
  expect(code).toBe(3);
});

it('Prometheus scrapes it without an error, and tells what the runs took', async () => {
  const value = async (expression: string): Promise<number | undefined> =>
    [...(await prometheus.query(expression)).values()][0];
  await expect.poll(() => value('up'), { timeout: 20_000 }).toBe(1);
  expect(await prometheus.scrapeError()).toBeNull();
  expect(await value('sum(bench_task_duration_count{bench_workload="s3"})')).toBe(4);
  expect(await value('sum(bench_runs_rejected_total{error_type="invalid_parameter"})')).toBe(1);
  expect(await value('sum(gen_ai_client_operation_time_to_first_chunk_count)')).toBe(3);
  const { durationMs } = await service.run('/bench/s3?tasks=4&strategy=sdk-single');
  const seconds = 'bench_run_duration_sum{bench_strategy="sdk-single"}';
  await expect.poll(() => value(seconds), { timeout: 20_000 }).toBeCloseTo(durationMs / 1000, 5);
  const median = await value(
    'histogram_quantile(0.5, sum by (le) (bench_run_duration_bucket{bench_strategy="sdk-single"}))',
  );
  expect(median).toBeGreaterThan(durationMs / 1000 / 5);
  expect(median).toBeLessThan((durationMs / 1000) * 5);
});

/** What `promtool check metrics` says of a text, and its exit code: 3 where there is anything to say. */
async function lint(metrics: string): Promise<{ readonly said: string; readonly code: unknown }> {
  const promtool = await debianProgram('prometheus', 'promtool');
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  child.stdin.end(metrics);
  const [out, errors, [code]] = await ended;
  return { said: out + errors, code };
}
