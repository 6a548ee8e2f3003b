import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** What there is to read: README.md and, after it, what it leads to. */
export const readme = ['README.md', ...globSync('docs/*.md', { cwd: root }).toSorted()]
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

/** Its indented blocks, without their indent. */
function blocks(): string[] {
  return [...readme.matchAll(/(?<=\n\n)(?: {4}[^\n]*\n(?:\n(?= {4}))?)+/gu)].map(([block]) =>
    block.replaceAll(/^ {4}/gmu, '').trimEnd(),
  );
}

/** The blocks that are commands for a shell, whole. */
export function commandBlocks(): readonly string[] {
  return blocks().filter((block) => !block.startsWith('{'));
}

/** Whether a command asks the service for a run or a comparison, and does nothing else. */
export function isRequest(command: string): boolean {
  return /^curl 'localhost:8080\/(?:bench|compare)\/[^']+'$/u.test(command);
}

/** The answer that the first screen shows, abridged. */
export function sampleAnswer(): string {
  return blocks().find((block) => block.startsWith('{')) ?? '';
}
