import { isMet, type Figure } from './figure.ts';

/** A group that was measured, or why it could not be. */
export type Measurement =
  | { readonly group: string; readonly state: 'measured'; readonly figures: readonly Figure[] }
  | { readonly group: string; readonly state: 'failed'; readonly error: string };

/** Whether all was measured and every limit is kept. */
export function allMet(measurements: readonly Measurement[]): boolean {
  return measurements.every((group) => group.state === 'measured' && group.figures.every(isMet));
}

/** A table for people: a line for each figure, and one for each group that could not be measured, with the first
 * line of the reason. */
export function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.flatMap((measurement) =>
    measurement.state === 'measured'
      ? measurement.figures.map(cellsOf)
      : [[measurement.group, `FAILED: ${measurement.error.split('\n', 1).join('')}`]],
  );
  const header = ['figure', 'median', 'min … max', 'target', '', ''];
  const inColumns = [header, ...rows.filter((row) => row.length === header.length)];
  const widths = header.map((_, column) => Math.max(...inColumns.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf(figure: Figure): string[] {
  const { name, unit, measured, spread, atMost, note } = figure;
  const digits = unit === '×' ? 3 : unit === 'ms' ? 1 : 0;
  const text = (value: number): string => value.toFixed(digits);
  return [
    name,
    `${text(measured)} ${unit}`,
    `${text(spread.least)} … ${text(spread.most)}`,
    atMost === null ? '' : `≤ ${atMost} ${unit}`,
    atMost === null ? 'reference' : isMet(figure) ? 'met' : 'MISSED',
    note ?? '',
  ];
}
