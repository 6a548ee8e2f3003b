import { commandBlocks, readme, sampleAnswer } from './readme.ts';

/** A row of a table: the text of its cells. */
export type Row = readonly string[];

/**
 * Every command that README.md shows, each once: the lines of its indented blocks, where `\` at the end of a line,
 * `&&` and comments are understood, and what stands between backquotes and begins like a command.
 */
export function commandsOfReadme(): readonly string[] {
  const inBlocks = commandBlocks().flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/gu, '')
      .split(/\n| && /u)
      .map(withoutComment),
  );
  return [...new Set([...inBlocks, ...codeIn(readme).filter(looksLikeACommand)])];
}

/** The block of commands in which a command is, up to and with it: what comes before may define what it needs. */
export function blockUpTo(command: string): string {
  const block = commandBlocks().find((lines) => lines.split('\n').includes(command));
  if (block === undefined) throw new Error(`no block of README.md has "${command}"`);
  const lines = block.split('\n');
  return lines.slice(0, lines.indexOf(command) + 1).join('\n');
}

/** The rows of the one table that begins with these column titles. */
export function tableOfReadme(...titles: readonly string[]): readonly Row[] {
  const found = tables().filter(([head]) => titles.every((title, column) => head?.[column] === title));
  const [table] = found;
  if (table === undefined || found.length > 1)
    throw new Error(`${found.length} tables have ${titles.join(', ')}`);
  return table.slice(2);
}

/** What a text has between backquotes. */
export function codeIn(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^ {4}.*$/gmu, '');
  return [...prose.matchAll(/`([^`\n]+)`/gu)].map(([, code]) => code ?? '');
}

/**
 * The answer that README.md shows, as data. What it leaves out, with `…`, is a member or an item of the name and value
 * {@link leftOut}.
 */
export function answerOfReadme(): unknown {
  const enclosing: string[] = [];
  const json = sampleAnswer()
    .split('\n')
    .map((line, index, lines) => {
      if (/^\s*[\]}]/u.test(line)) enclosing.pop();
      const opened = /[[{]$/u.exec(line)?.[0];
      const inObject = enclosing.at(-1) === '{';
      if (opened !== undefined) enclosing.push(opened);
      if (line.trim() !== '…') return line;
      const last = /^\s*[\]}]/u.test(lines[index + 1] ?? '');
      return `${inObject ? `"${leftOut}": ` : ''}"${leftOut}"${last ? '' : ','}`;
    });
  return JSON.parse(json.join('\n'));
}

export const leftOut = '…';

function withoutComment(line: string): string {
  return line.replace(/\s+# .*$/u, '');
}

function looksLikeACommand(code: string): boolean {
  const [program = ''] = code.replace(/^(?:[A-Z][A-Z0-9_]*=\S+ )+/u, '').split(' ', 1);
  return programs.has(program) || /^\.\S*\/\S+$/u.test(program);
}

const programs = new Set(['npm', 'npx', 'node', 'curl', 'docker', 'git', 'go', 'bash', 'sh']);

function tables(): readonly (readonly Row[])[] {
  return [...readme.matchAll(/(?:^\|.*\|\n)+/gmu)].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  );
}
