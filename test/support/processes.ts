import { setTimeout as wait } from 'node:timers/promises';
import { processTable, type ProcessRow } from './process-table.ts';

/** The children of a process, their children, and so on. Those that lost their parent are nobody's descendants. */
export function descendantsOf(pid: number): readonly ProcessRow[] {
  const table = processTable();
  const below = (parent: number): readonly ProcessRow[] =>
    table.flatMap((row) => (row.parent === parent ? [row, ...below(row.pid)] : []));
  return below(pid);
}

/** Those of some processes that live, by pid and title: a pid may have gone to another process. */
export function survivorsOf(rows: readonly ProcessRow[]): readonly ProcessRow[] {
  const table = processTable();
  return rows.filter(({ pid, title }) => table.some((row) => row.pid === pid && row.title === title));
}

/** Those of some processes that still live when all had time to end; it waits no longer than the last one takes. */
export async function leftOverOf(
  rows: readonly ProcessRow[],
  longestWaitMs = 10_000,
): Promise<readonly ProcessRow[]> {
  const deadline = AbortSignal.timeout(longestWaitMs);
  while (!deadline.aborted && survivorsOf(rows).length > 0) await wait(50);
  return survivorsOf(rows);
}
