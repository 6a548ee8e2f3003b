import { env } from 'node:process';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

const second = 1000;
const minute = 60 * second;

/** Suites run one after another in this order; what starts processes runs one file at a time. */
const suites = [
  { name: 'unit', testTimeout: 10 * second, hookTimeout: 10 * second, fileParallelism: true },
  { name: 'contract', testTimeout: minute, hookTimeout: minute, fileParallelism: false },
  { name: 'integration', testTimeout: 2 * minute, hookTimeout: minute, fileParallelism: false },
  { name: 'telemetry', testTimeout: 2 * minute, hookTimeout: minute, fileParallelism: false },
  // Its first run on a machine builds the real servers.
  { name: 'e2e', testTimeout: 5 * minute, hookTimeout: 30 * minute, fileParallelism: false },
];

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', new SummaryReporter({ countsFile: env['TEST_COUNTS_FILE'] || null })],
    allowOnly: false,
    teardownTimeout: minute,
    projects: suites.map(({ name, ...limits }, order): TestProjectInlineConfiguration => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        sequence: { groupOrder: order },
        ...limits,
      },
    })),
  },
});
