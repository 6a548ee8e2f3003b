/**
 * One small run of every workload with every strategy that is possible, one after another: does all of it work?
 *
 *     k6 run deploy/k6/smoke.ts
 */
import type { Options } from 'k6/options';
import { ask, setup as prepare, type SetUp } from './client.ts';
import { needed } from './readiness.ts';
import { milliseconds } from './settings.ts';
import { summaryOf, summaryTrendStats, thresholds, type SummaryData } from './summary.ts';

export const options: Options = {
  scenarios: {
    smoke: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: '5m', exec: 'everything' },
  },
  thresholds: thresholds(milliseconds('P95_MS', 10_000)),
  summaryTrendStats,
};

interface AllRuns extends SetUp {
  readonly paths: readonly string[];
}

/** As far as it is read of `GET /workloads`. */
interface Catalogue {
  readonly workloads: readonly {
    readonly name: string;
    /** The setting that it lacks. */
    readonly missing: string | null;
    readonly strategies: readonly { readonly strategy: string; readonly possible: boolean }[];
  }[];
}

const light: Readonly<Record<string, string>> = { fib: '&n=12', sleep: '&ms=3' };

export function setup(): AllRuns {
  const shared = prepare();
  const { workloads }: Catalogue = JSON.parse(needed('/workloads'));
  const paths = workloads
    .filter(({ missing }) => missing === null)
    .flatMap(({ name, strategies }) =>
      strategies
        .filter(({ possible }) => possible)
        .map(({ strategy }) => `/bench/${name}?strategy=${strategy}&tasks=2${light[name] ?? ''}`),
    );
  return { ...shared, paths };
}

export function everything(all: AllRuns): void {
  for (const [number, path] of all.paths.entries()) {
    const failure = ask(path, all, { number });
    // The summary has the first of a kind alone; here each is another strategy.
    if (failure !== null) console.error(`${path}: ${failure}`);
  }
}

export function handleSummary(data: SummaryData<AllRuns>): Record<string, string> {
  const paths = data.setup_data?.paths ?? [];
  return summaryOf('smoke', data, { runOf: (number) => paths[number] ?? '' });
}
