import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/support/summary-reporter.ts';

/** A suite of its own under test/, run one file after another where it starts processes and measures nothing. */
function suite(name: string, options: { readonly timeoutMs: number; readonly alone: boolean }) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: options.timeoutMs,
      hookTimeout: options.timeoutMs,
      fileParallelism: !options.alone,
    },
  };
}

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['test/support/build-once.ts'],
    reporters: ['default', new SummaryReporter()],
    projects: [
      suite('unit', { timeoutMs: 10_000, alone: false }),
      suite('contract', { timeoutMs: 60_000, alone: true }),
      suite('integration', { timeoutMs: 60_000, alone: true }),
      suite('telemetry', { timeoutMs: 60_000, alone: true }),
      suite('e2e', { timeoutMs: 300_000, alone: true }),
    ],
  },
});
