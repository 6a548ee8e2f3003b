import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBySchema, type SchemathesisReport } from '../support/schemathesis.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Small runs that end soon, so that there is time for many. */
const small = { MAX_TASKS: '3', RUN_TIMEOUT_MS: '500', EMULATOR_LATENCY_MS: '1', MAX_RUNS_KEPT: '50' };
const minute = 60_000;

let service: RunningService;
beforeAll(async () => {
  service = await startService(small);
});
afterAll(() => service.stop());

describe('Schemathesis, by /openapi.json', () => {
  let cases = 0;

  it(
    'finds nothing wrong with any path but the comparisons, one after another and by their links',
    async () => {
      const paths = ['--exclude-path-regex', '^/compare/', '--max-examples', '20', '--workers', '2'];
      const { report } = await sound(paths);
      expect(report.phases).toMatchObject({
        coverage: { status: 'success' },
        fuzzing: { status: 'success' },
        stateful: { status: 'success' },
      });
      // No id can be guessed.
      const answered = await answers();
      expect(answered('/runs/:id', 200)).toBeGreaterThan(0);
      expect(answered('/runs/:id/trace.json', 200)).toBeGreaterThan(0);
      cases += report.test_cases.generated;
    },
    5 * minute,
  );

  it(
    'finds nothing wrong with comparisons',
    async () => {
      // One after another: a second one would be refused.
      const { report } = await sound([
        '--include-path-regex',
        '^/compare/',
        '--max-examples',
        '5',
        '--phases',
        'coverage,fuzzing',
      ]);
      expect(report.phases).toMatchObject({
        coverage: { status: 'success' },
        fuzzing: { status: 'success' },
      });
      cases += report.test_cases.generated;
      const answered = await answers();
      expect(answered('/compare/:workload', 200)).toBeGreaterThan(20);
    },
    5 * minute,
  );

  it('had thousands of cases, of every workload, and the service answered each', async () => {
    expect(cases).toBeGreaterThan(4_000);
    const answered = await answers();
    for (const status of [200, 400]) expect(answered('/bench/:workload', status)).toBeGreaterThan(100);
    expect(answered('', 500)).toBe(0);
    expect((await service.get('/readyz')).status).toBe(200);
  });
});

/** A test with no failure and no error; throws with what it says of them. */
async function sound(parameters: readonly string[]): Promise<{ readonly report: SchemathesisReport }> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const limits = ['--request-timeout', '60', '--seed', `${seed}`];
  const { exitCode, report, said } = await testBySchema(service.url, [...limits, ...parameters]);
  process.stdout.write(`${report.test_cases.generated} cases, seed ${seed}\n`);
  if (exitCode !== 0) throw new Error(said);
  expect(report).toMatchObject({ complete: true, failures: [] });
  expect(report.test_cases).toMatchObject({ errored: 0, without_checks: 0 });
  return { report };
}

/** How many requests were answered, by route (the empty one: any) and status, as the service counts them. */
async function answers(): Promise<(route: string, status: number) => number> {
  const { text } = await service.get('/metrics');
  const counts = [...text.matchAll(/^http_server_request_duration_count\{(.*)\} (\d+)$/gmu)].map(
    ([, labels = '', count]) => ({
      route: /http_route="([^"]*)"/u.exec(labels)?.[1],
      status: Number(/http_response_status_code="(\d+)"/u.exec(labels)?.[1]),
      count: Number(count),
    }),
  );
  return (route, status) =>
    counts
      .filter((one) => (route === '' || one.route === route) && one.status === status)
      .reduce((sum, { count }) => sum + count, 0);
}
