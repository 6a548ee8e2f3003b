import type { WriteStream } from 'node:tty';
import type { Progress } from '../bench/compare/comparison.ts';

/** One line at the bottom of a terminal; nothing elsewhere. */
export interface ProgressBar {
  show(progress: Progress): void;
  clear(): void;
}

const width = 24;

export function progressBar(stream: Pick<WriteStream, 'isTTY' | 'columns' | 'write'>): ProgressBar {
  if (!stream.isTTY) return { show() {}, clear() {} };
  return {
    show: (progress) => void stream.write(`\r\u001B[K${lineOf(progress).slice(0, stream.columns - 1)}`),
    clear: () => void stream.write('\r\u001B[K'),
  };
}

/** As it stands on a terminal. */
export function lineOf({ phase, round, rounds, strategy, cell, cells, elapsedMs, leftMs }: Progress): string {
  const share = leftMs === null ? 0 : elapsedMs / (elapsedMs + leftMs || 1);
  const full = Math.round(share * width);
  const which = phase === 'round' ? `round ${round}${rounds === null ? '' : `/${rounds}`}` : phase;
  const where = cells === 1 ? '' : ` cell ${cell + 1}/${cells}`;
  const left = leftMs === null ? '' : ` ${Math.ceil(leftMs / 1000)} s left`;
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${which}${where}${left} ${strategy}`;
}
