import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { testBySchema, type Case, type SchemathesisReport } from '../support/schemathesis.ts';
import { startService, type RunningService } from '../support/service.ts';

/** Small runs that end soon, so that there is time for many. */
const small = { MAX_TASKS: '3', RUN_TIMEOUT_MS: '500', EMULATOR_LATENCY_MS: '1', MAX_RUNS_KEPT: '50' };
const minute = 60_000;
const allButComparisons = ['--exclude-path-regex', '^/compare/', '--workers', '2'];
/** What orchestrators ask is not in the service's own count of requests. */
const uncounted = new Set(['/healthz', '/readyz', '/metrics']);
/** Requests that do not depend on each other: boundaries, and at random. */
const alone = 'coverage,fuzzing';

/** As much of OpenAPI 3.1 as links take. */
const linksSchema = z.record(z.string(), z.looseObject({ operationId: z.string() }));
const operationSchema = z.looseObject({
  operationId: z.string(),
  responses: z.record(z.string(), z.looseObject({ links: linksSchema.optional() })),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.looseObject({ get: operationSchema })),
});

let service: RunningService;
beforeAll(async () => {
  service = await startService(small);
});
afterAll(() => service.stop());

describe('Schemathesis, by /openapi.json', () => {
  let generated = 0;
  const sent: Case[] = [];

  it(
    'finds nothing wrong with any path but the comparisons',
    async () => {
      const { report, cases } = await sound([
        ...allButComparisons,
        '--max-examples',
        '20',
        '--phases',
        alone,
      ]);
      expect(report.phases).toMatchObject({
        coverage: { status: 'success' },
        fuzzing: { status: 'success' },
      });
      generated += report.test_cases.generated;
      sent.push(...cases);
    },
    5 * minute,
  );

  it(
    'finds nothing wrong along the links from answer to answer, and each of them leads somewhere',
    async () => {
      const links = await declaredLinks();
      const { report, cases } = await sound([
        ...allButComparisons,
        '--max-examples',
        '400',
        '--phases',
        'stateful',
      ]);
      expect(report.phases).toMatchObject({ stateful: { status: 'success' } });
      const followed = Map.groupBy(
        cases.filter(({ link, status }) => link !== null && status === 200),
        ({ link }) => link,
      );
      const byLink = [...followed].map(([link, all]) => `${all.length} ${link}`);
      process.stdout.write(`by link:\n${byLink.toSorted().join('\n')}\n`);
      // Which links are drawn is chance; a link with a value that is not in the answer is never among them.
      expect(links).toEqual(expect.arrayContaining([...followed.keys()]));
      expect(followed.size).toBeGreaterThan(links.length / 2);
      expect([...followed.values()].flat().length).toBeGreaterThan(50);
      generated += report.test_cases.generated;
      sent.push(...cases);
    },
    5 * minute,
  );

  it(
    'finds nothing wrong with comparisons',
    async () => {
      // One after another: a second one would be refused. No links: of its runs an answer names only those that failed.
      const { report, cases } = await sound([
        '--include-path-regex',
        '^/compare/',
        '--max-examples',
        '5',
        '--phases',
        alone,
      ]);
      expect(report.phases).toMatchObject({
        coverage: { status: 'success' },
        fuzzing: { status: 'success' },
      });
      generated += report.test_cases.generated;
      sent.push(...cases);
      const answered = await answers();
      expect(answered('/compare/:workload', 200)).toBeGreaterThan(20);
    },
    5 * minute,
  );

  it('had thousands of cases, of every workload, and the service answered each', async () => {
    expect(sent.length).toBe(generated);
    expect(sent.length).toBeGreaterThan(4_000);
    const answered = await answers();
    const counted = sent.filter(({ path }) => !uncounted.has(path)).length;
    process.stdout.write(
      `${sent.length} sent, ${counted} of them to be counted, ${answered('', null)} counted\n`,
    );
    expect(answered('', null)).toBeGreaterThanOrEqual(counted);
    for (const status of [200, 400]) expect(answered('/bench/:workload', status)).toBeGreaterThan(100);
    expect(answered('', 500)).toBe(0);
    expect((await service.get('/readyz')).status).toBe(200);
  });
});

/** Every link of the document but those of the comparisons, as Schemathesis names them. */
async function declaredLinks(): Promise<readonly string[]> {
  const { paths } = documentSchema.parse(JSON.parse((await service.get('/openapi.json')).text));
  const pathOf = new Map(Object.entries(paths).map(([path, { get }]) => [get.operationId, path]));
  return Object.entries(paths).flatMap(([path, { get }]) =>
    Object.entries(get.responses['200']?.links ?? {}).map(
      ([name, { operationId }]) => `GET ${path} -> [200] ${name} -> GET ${pathOf.get(operationId)}`,
    ),
  );
}

/** A test with no failure and no error; throws with what it says of them. */
async function sound(
  parameters: readonly string[],
): Promise<{ readonly report: SchemathesisReport; readonly cases: readonly Case[] }> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const limits = ['--request-timeout', '60', '--seed', `${seed}`];
  const { exitCode, report, cases, said } = await testBySchema(service.url, [...limits, ...parameters]);
  process.stdout.write(`${report.test_cases.generated} cases, seed ${seed}\n`);
  if (exitCode !== 0) throw new Error(said);
  expect(report).toMatchObject({ complete: true, failures: [] });
  expect(report.test_cases).toMatchObject({ errored: 0, without_checks: 0 });
  return { report, cases };
}

/** How many requests were answered, by route (the empty one: any) and status (null: any), as the service counts them. */
async function answers(): Promise<(route: string, status: number | null) => number> {
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
      .filter((one) => (route === '' || one.route === route) && (status === null || one.status === status))
      .reduce((sum, { count }) => sum + count, 0);
}
