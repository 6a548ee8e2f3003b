import { appendFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

/**
 * Prints `N passed, N failed` as the last line, from the real counts, and fails the run when a suite ran no test.
 * `TEST_COUNTS_FILE` names a file to which the same line is added, for whoever adds several runs up.
 */
export class SummaryReporter implements Reporter {
  #suites: readonly string[] = [];

  onInit(vitest: Vitest): void {
    this.#suites = vitest.projects.map(({ name }) => name);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const ran = new Set<string>();
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      // A file that can't be loaded, or whose hooks fail, has errors of its own.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') counts.failed += 1;
        else counts[state] += 1;
        if (state === 'passed' || state === 'failed') ran.add(module.project.name);
      }
      for (const group of module.children.allSuites()) counts.failed += group.errors().length;
    }
    for (const suite of this.#suites.filter((name) => !ran.has(name))) {
      process.stdout.write(`The suite ${suite} ran no test.\n`);
      counts.failed += 1;
    }
    if (counts.failed > 0) process.exitCode = 1;
    const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
    const line = `${counts.passed} passed, ${counts.failed} failed${skipped}\n`;
    const file = process.env['TEST_COUNTS_FILE'];
    if (file !== undefined && file !== '') appendFileSync(file, line);
    process.stdout.write(line);
  }
}
