import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** The indented blocks of README.md, without their indent. */
function blocks(): string[] {
  return [...readme.matchAll(/(?<=\n\n)(?: {4}[^\n]*\n(?:\n(?= {4}))?)+/gu)].map(([block]) =>
    block.replaceAll(/^ {4}/gmu, '').trimEnd(),
  );
}

/** The blocks that are commands for a shell, whole. */
export function commandBlocks(): readonly string[] {
  return blocks().filter((block) => !block.startsWith('{'));
}

/** The answer that the first screen shows, abridged. */
export function sampleAnswer(): string {
  return blocks().find((block) => block.startsWith('{')) ?? '';
}

/** The commands in the first two columns of tables: `took '…'`. */
export function tableCommands(): readonly string[] {
  return [...readme.matchAll(/`(?<command>took '[^']+')`/gu)].map(({ groups }) => groups?.['command'] ?? '');
}
