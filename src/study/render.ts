import type { StudyAnswer, StudyCell, StudyData, StudyResult } from './data.ts';
import { ratio } from './figures.ts';
import { findingsOf, type Finding, type Verdict } from './findings.ts';
import { studyParts } from './matrix.ts';

/** The study as a document, made from its data alone. */
export function renderStudy(data: StudyData): string {
  const [first] = data.parts;
  if (first === undefined) throw new RangeError('The study has no data.');
  const sections = studyParts.flatMap(({ name, title, workload }) => {
    const answer = data.parts.find((part) => part.name === name)?.answer;
    return answer === undefined ? [] : [sectionOf(title, workload, answer)];
  });
  return [
    '# The study, redone in Node',
    intro(first.answer, data),
    ...busyNote(data),
    '## What it found, and what holds here',
    ...findingsOf(data).map(findingText),
    '## Figures',
    `Time relative to the first row, one after another: below 1 is faster. In brackets the 95 % interval. The limit is what no
strategy can beat: for CPU work the tasks' own cost on all cores, else the slowest answer as its server tells it, or the
slowest task. A ratio in **bold** is shown to differ from 1 (Wilcoxon signed-rank, corrected by Holm).`,
    ...sections,
    '',
  ].join('\n\n');
}

function intro({ comparison, machine }: StudyAnswer, { parts }: StudyData): string {
  const loads = parts.map(({ answer }) => answer.machine.load.after.loadAverage1m);
  const runtimes = Object.values(machine.runtimes)
    .toSorted()
    .map((version) => `Node ${version}`);
  const target =
    machine.emulator === null
      ? machine.target
      : `the emulator, at ${machine.emulator.latencyMs} ms and seed ${machine.emulator.seed}`;
  return `A published study compared the parallel strategies of Python: one after another, asyncio, threads, subprocesses,
subinterpreters, and those inside threads and subprocesses. Here is its matrix on ${runtimes.join(', ')}.

Measured on ${comparison.startedAt.slice(0, 10)}: ${machine.cores} cores of ${machine.cpu}, ${machine.platform}, ${machine.architecture}; target ${target}.
The machine's load average was ${machine.load.before.loadAverage1m} before the first comparison, and from ${Math.min(...loads)} to ${Math.max(...loads)} after each of them, which
is the load of its own runs, too. Every strategy ran once a round, in shuffled order; cold: what it needs was made for each run. This text is
made from [data.json](data.json) by \`npm run study -- --render\`, and measured anew by \`npm run study\`.`;
}

/** A machine with more to do than it has cores for says little. Later loads have the study's own runs in them. */
function busyNote({ parts }: StudyData): readonly string[] {
  const [first] = parts;
  if (first === undefined) return [];
  const { cores, load } = first.answer.machine;
  if (load.before.loadAverage1m <= cores) return [];
  return [
    `**The machine had other work to do**: a load of ${load.before.loadAverage1m} on ${cores} cores before the first run. What computes had to share them, so
the figures of CPU work and of cold workers say little here; those of waiting and of requests on the event loop say more.`,
  ];
}

function findingText({ claim, holds, figures, why }: Finding): string {
  return [`### ${claim}`, `**${inWords(holds)}** ${why}`, figures.map((line) => `- ${line}`).join('\n')].join(
    '\n\n',
  );
}

function inWords(holds: Verdict): string {
  if (holds === null) return 'Not shown by this data.';
  if (holds === 'as far as it can') return 'Holds as far as it can with these answers.';
  if (holds === 'not everywhere') return 'Does not hold everywhere: see the intervals.';
  return holds ? 'Holds.' : 'Does not hold.';
}

function sectionOf(title: string, workload: string, answer: StudyAnswer): string {
  const { comparison, cells } = answer;
  const titles = cells.map(columnTitle);
  const strategies = [...new Set(cells.flatMap(({ results }) => results.map(({ strategy }) => strategy)))];
  const ordered = [comparison.baseline, ...strategies.filter((strategy) => strategy !== comparison.baseline)];
  const rows = [
    ...ordered.map((strategy) => [
      `\`${strategy}\``,
      ...cells.map(({ results }) => relative(results.find((result) => result.strategy === strategy))),
    ]),
    ['_limit_', ...cells.map((cell) => limitOf(cell, comparison.baseline))],
  ];
  const table = [[workload, ...titles], ['---', ...titles.map(() => '---')], ...rows]
    .map((cellsOfRow) => `| ${cellsOfRow.join(' | ')} |`)
    .join('\n');
  return `### ${title}\n\n${comparison.rounds} rounds, seed ${comparison.seed}, load ${answer.machine.load.before.loadAverage1m} before and ${answer.machine.load.after.loadAverage1m} after.\n\n${table}`;
}

function columnTitle({ params }: StudyCell): string {
  return params['join'] === 'all'
    ? String(params['runtime'])
    : `${String(params['runtime'])}, ${String(params['join'])}`;
}

function relative(result: StudyResult | undefined): string {
  if (result?.medianMs == null) return 'not possible';
  if (result.verdict === 'baseline') return `1 (${ratio(result.medianMs)} ms)`;
  if (result.speedup === null) return '-';
  const range =
    result.speedupCi === null
      ? ''
      : ` (${ratio(1 / result.speedupCi[1])} … ${ratio(1 / result.speedupCi[0])})`;
  const shown =
    result.verdict === 'no difference shown' ? ratio(1 / result.speedup) : `**${ratio(1 / result.speedup)}**`;
  return shown + range;
}

function limitOf({ results }: StudyCell, baseline: string): string {
  const base = results.find(({ strategy }) => strategy === baseline);
  const limits = results.flatMap(({ analysis }) => (analysis?.limitMs == null ? [] : [analysis.limitMs]));
  if (base?.medianMs == null || limits.length === 0) return 'not known';
  return ratio(Math.min(...limits) / base.medianMs);
}
