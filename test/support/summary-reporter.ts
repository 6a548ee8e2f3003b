import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** What a run of the tests came to. */
interface Counts {
  passed: number;
  /** Failed tests, and whatever else failed: a file that could not be loaded, a hook, a suite without tests. */
  failed: number;
  skipped: number;
}

/**
 * Ends a run with the line `N passed, N failed` (`, N skipped` where some were), from the tests that really ran,
 * and with a non-zero exit code if anything failed. A project without any test that ran is a failure: a suite that
 * lost its files must not look green. The line is also added to `countsFile`, for whoever adds several runs up.
 */
export class SummaryReporter implements Reporter {
  readonly #countsFile: string | null;
  #counts: Counts | null = null;
  #vitest: Vitest | null = null;

  constructor({ countsFile }: { readonly countsFile: string | null }) {
    this.#countsFile = countsFile;
  }

  onInit(vitest: Vitest): void {
    if (this.#vitest === null && !vitest.config.watch) process.once('exit', () => this.#conclude());
    this.#vitest = vitest;
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: 'passed' | 'interrupted' | 'failed',
  ): Promise<void> {
    const counts = countTests(modules);
    counts.failed += unhandledErrors.length;
    const faults = reason === 'interrupted' ? ['The run was interrupted.'] : [];
    if (this.#vitest !== null) faults.push(...(await emptyProjects(this.#vitest, modules)));
    for (const fault of faults) process.stdout.write(`\n FAIL  ${fault}\n`);
    counts.failed += faults.length;
    if (counts.failed > 0) process.exitCode = 1;
    this.#counts = counts;
  }

  /** At the exit, so that no other output follows, and a run that broke off before its end is counted too. */
  #conclude(): void {
    const counts = this.#counts ?? { passed: 0, failed: 1, skipped: 0 };
    // The tests went well, yet something else set the exit code: a teardown, the vitest process itself.
    if (counts.failed === 0 && (process.exitCode ?? 0) !== 0) counts.failed = 1;
    if (counts.failed > 0 && (process.exitCode ?? 0) === 0) process.exitCode = 1;
    const line = closingLine(counts);
    if (this.#countsFile !== null) appendFileSync(this.#countsFile, line);
    process.stdout.write(line);
  }
}

function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

function countTests(modules: readonly TestModule[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) counts[stateOf(test)]++;
    // Errors of no test: the file could not be loaded, or a hook failed.
    const places = [module, ...module.children.allSuites()];
    counts.failed += places.filter((place) => place.errors().length > 0).length;
  }
  return counts;
}

function stateOf(test: TestCase): keyof Counts {
  const { state } = test.result();
  // Collected but never run: the run broke off before it.
  return state === 'pending' ? 'failed' : state;
}

/** One sentence for each project in which no test ran. A run narrowed by hand, to files or to names, has none. */
async function emptyProjects(vitest: Vitest, modules: readonly TestModule[]): Promise<string[]> {
  if (vitest.config.testNamePattern !== undefined) return [];
  const projects = await Promise.all(
    vitest.projects.map(async (project) => ({
      name: project.name,
      files: (await project.globTestFiles()).testFiles.length,
      modules: modules.filter((module) => module.project === project),
    })),
  );
  if (projects.some((project) => project.modules.length < project.files)) return [];
  return projects
    .filter((project) => !project.modules.some(ranATest))
    .map(({ name, files }) => `The suite "${name}" ${files === 0 ? 'has no test file' : 'ran no test'}.`);
}

function ranATest(module: TestModule): boolean {
  return module.children.allTests().some((test) => stateOf(test) !== 'skipped');
}
