import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { studySchema, textOf, type StudyData } from '../study/data.ts';
import { studyParts } from '../study/matrix.ts';
import { renderStudy } from '../study/render.ts';
import { ask } from './client.ts';
import { startOwnService } from './own-service.ts';
import { interruption } from './interruption.ts';
import { progressBar } from './progress-bar.ts';

/**
 * `npm run study`: measures the whole matrix of the Python study and writes docs/study. With `--render` the text is made
 * anew from the data that is there.
 */
const folder = join(import.meta.dirname, '../docs/study');

async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      render: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
    },
  });
  if (!values.render) await write(await measure(values.rounds, values.seed, environment));
  const data = studySchema.parse(JSON.parse(await readFile(join(folder, 'data.json'), 'utf8')));
  await writeFile(join(folder, 'README.md'), renderStudy(data));
}

async function measure(rounds: string, seed: string, environment: NodeJS.ProcessEnv): Promise<StudyData> {
  const interrupted = interruption();
  const service = await startOwnService(
    import.meta.dirname,
    { OTEL_TRACES_EXPORTER: 'none', ...environment },
    interrupted,
  );
  const bar = progressBar(process.stderr);
  try {
    const parts: StudyData['parts'] = [];
    for (const { name, workload, query } of studyParts) {
      const runtimes = environment['RUNTIMES'] ?? 'node26';
      const all = new URLSearchParams({ runtime: runtimes, rounds, seed, ...query });
      const url = new URL(`/compare/${workload}?${all.toString()}`, service.url);
      const answer = await ask(url, undefined, interrupted, (progress) => bar.show(progress));
      bar.clear();
      process.stderr.write(`${name}: ${Math.round(answer.comparison.durationMs / 1000)} s\n`);
      parts.push({ name, answer: studySchema.shape.parts.element.shape.answer.parse(withoutTraces(answer)) });
    }
    return { parts };
  } finally {
    bar.clear();
    await service.stop();
  }
}

/** Links to traces that nobody kept. */
function withoutTraces(answer: Awaited<ReturnType<typeof ask>>): object {
  const cells = answer.cells.map(({ results, ...cell }) => ({
    ...cell,
    results: results.map((result) => ({ ...result, traces: [] })),
  }));
  return { ...answer, cells, trace: null };
}

async function write(data: StudyData): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'data.json'), textOf(data));
}

await main(process.argv.slice(2), process.env);
