import { cellTitle, crossoverLines, headline, shareTable, verdictTable, type Table } from './table.ts';
import type { ComparisonView } from './view.ts';

/** How a comparison can be told. */
export const formats = ['json', 'text', 'markdown', 'csv'] as const;
export type Format = (typeof formats)[number];

export const mediaTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  markdown: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

/** For programs, and people: a list of plain values, such as samples, stays on one line. */
export function asJson(view: ComparisonView): string {
  return `${printed(view, '')}\n`;
}

function printed(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const block = (open: string, parts: readonly string[], close: string): string =>
    parts.length === 0 ? open + close : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
  if (!Array.isArray(value)) {
    const entries = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}: ${printed(item, inner)}`,
    );
    return block('{', entries, '}');
  }
  const items = value.map((item: unknown) => printed(item, inner));
  const isPlain = value.every((item) => typeof item !== 'object' || item === null);
  return isPlain ? `[${items.join(', ')}]` : block('[', items, ']');
}

/** For people at a terminal. */
export function asText(view: ComparisonView): string {
  return sections(view, {
    heading: (text) => text,
    table: (table) => aligned(table),
    list: (lines) => lines.map((line) => `  ${line}`).join('\n'),
  });
}

/** For an issue, a pull request or a wiki. */
export function asMarkdown(view: ComparisonView): string {
  return sections(view, {
    heading: (text) => `### ${text}`,
    table: markdownTable,
    list: (lines) => lines.map((line) => `- ${line}`).join('\n'),
  });
}

/** Every raw sample, a run a row, for other tools. */
export function asCsv({ comparison, order, cells }: ComparisonView): string {
  const names = [...new Set(cells.flatMap(({ params }) => Object.keys(params)))];
  const titles = ['comparison', 'workload', ...names, 'strategy', 'round', 'durationMs', 'fanOutMs', 'trace'];
  const rows = cells.flatMap(({ params, results }, cell) =>
    results.flatMap(({ strategy, samplesMs, failures, fanOutSamplesMs, traces }) => {
      const failed = new Set(failures.map(({ round }) => round));
      const rounds = order
        .filter((entry) => entry.cell === cell && entry.strategy === strategy && !failed.has(entry.round))
        .map(({ round }) => round);
      return samplesMs.map((ms, index) => [
        comparison.id,
        comparison.workload,
        ...names.map((name) => params[name] ?? ''),
        strategy,
        rounds[index] ?? '',
        ms,
        fanOutSamplesMs[index] ?? '',
        traces[index] ?? '',
      ]);
    }),
  );
  return [titles, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

interface Style {
  heading(text: string): string;
  table(table: Table): string;
  list(lines: readonly string[]): string;
}

function sections(view: ComparisonView, style: Style): string {
  const { comparison, cells, warnings, trace } = view;
  const parts = [
    style.list(headline(view).split('\n')),
    ...cells.flatMap((cell) => [
      style.heading(cellTitle(cell)),
      style.table(verdictTable(cell, comparison.baseline)),
      style.table(shareTable(cell)),
      style.heading(`Recommended: ${cell.recommendation.strategy ?? 'nothing'}`),
      style.list(cell.recommendation.reasons),
    ]),
    ...section('Crossovers', crossoverLines(view)),
    ...section('Warnings', [
      ...warnings.map(({ code, message }) => `${code}: ${message}`),
      ...disturbed(view),
    ]),
    ...section('Trace', trace === null ? [] : [trace.url]),
  ];
  return `${parts.join('\n\n')}\n`;

  function section(title: string, lines: readonly string[]): readonly string[] {
    return lines.length === 0 ? [] : [style.heading(title), style.list(lines)];
  }
}

/** How many samples were touched by what; the JSON says which. */
function disturbed({ cells }: ComparisonView): readonly string[] {
  const all = cells.flatMap(({ results }) => results.flatMap(({ disturbances }) => disturbances));
  const outliers = cells.reduce(
    (sum, { results }) => results.reduce((count, result) => count + result.outliers.length, sum),
    0,
  );
  const lines = [...Map.groupBy(all, ({ code }) => code)].map(
    ([code, those]) => `${code} touched ${counted(those.length)}.`,
  );
  const lie = outliers === 1 ? 'lies' : 'lie';
  return outliers === 0
    ? lines
    : [...lines, `outliers: ${counted(outliers)} ${lie} far outside the others; they count all the same.`];
}

function counted(samples: number): string {
  return samples === 1 ? '1 sample' : `${samples} samples`;
}

/** Columns as wide as their widest cell; figures to the right. */
function aligned({ titles, rows }: Table): string {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [titles, ...rows]
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 || isWords(rows, column) ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function isWords(rows: Table['rows'], column: number): boolean {
  return rows.some((row) => /^[a-z]/u.test(row[column] ?? ''));
}

function markdownTable({ titles, rows }: Table): string {
  const lines = [titles, titles.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** RFC 4180. */
function csvField(value: string | number | boolean): string {
  const text = String(value);
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
