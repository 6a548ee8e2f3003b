import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/bench/compare/comparison.ts';
import { lineOf, progressBar } from '../../src/cli/progress-bar.ts';

const progress: Progress = {
  phase: 'round',
  round: 3,
  rounds: 10,
  strategy: 'threads',
  cell: 0,
  cells: 1,
  elapsedMs: 3_000,
  leftMs: 9_000,
};

describe('the progress bar', () => {
  it('is as full as time has passed', () => {
    expect(lineOf(progress)).toBe(`${'█'.repeat(6)}${'░'.repeat(18)} round 3/10 9 s left threads`);
    expect(lineOf({ ...progress, elapsedMs: 12_000, leftMs: 0 })).toContain('█'.repeat(24));
  });

  it('is empty while nothing is known', () => {
    const line = lineOf({ ...progress, phase: 'warmup', round: 0, leftMs: null });
    expect(line).toBe(`${'░'.repeat(24)} warmup threads`);
  });

  it('says which cell of a grid, and no number of rounds that nobody knows', () => {
    expect(lineOf({ ...progress, rounds: null, cell: 1, cells: 4 })).toContain(' round 3 cell 2/4 ');
  });

  it('is one line of a terminal, however narrow, and leaves nothing', () => {
    const written: string[] = [];
    const bar = progressBar({ isTTY: true, columns: 30, write: (text) => written.push(String(text)) > 0 });
    bar.show(progress);
    bar.clear();
    expect(written).toEqual([`\r\u001B[K${lineOf(progress).slice(0, 29)}`, '\r\u001B[K']);
  });

  it('is nothing anywhere else', () => {
    const written: string[] = [];
    const bar = progressBar({ isTTY: false, columns: 80, write: (text) => written.push(String(text)) > 0 });
    bar.show(progress);
    bar.clear();
    expect(written).toEqual([]);
  });
});
