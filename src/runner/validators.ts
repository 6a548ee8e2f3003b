import type { Validation } from '../record/plan.ts';
import type { TaskOutput } from '../record/record.ts';

/** Why an answer does not pass; `null` when it does. */
export type Validator = (output: TaskOutput) => string | null;

/** The check of a name. The SQL parser is loaded only where it is asked for. */
export async function loadValidator(name: Validation): Promise<Validator> {
  switch (name) {
    case 'nonempty':
      return whyEmpty;
    case 'json':
      return (output) => ofText(output, whyNoJson);
    case 'sql': {
      const { default: library } = await import('node-sql-parser/build/postgresql.js');
      const parser = new library.Parser();
      return (output) =>
        ofText(output, (text) => (parses(() => parser.astify(text)) ? null : 'it is not SQL'));
    }
  }
}

function whyEmpty({ value, body, text }: TaskOutput): string | null {
  const empty = text === null ? value === null && (body?.bytes ?? 0) === 0 : text.trim() === '';
  return empty ? 'it is empty' : null;
}

/** Parsers quote what they can't read, and an answer's words must not get into spans: so these are our own words. */
function whyNoJson(text: string): string | null {
  return parses(() => JSON.parse(text)) ? null : 'it is not JSON';
}

function ofText(output: TaskOutput, whyNot: (text: string) => string | null): string | null {
  return whyEmpty(output) ?? whyNot(withoutFence(output.text ?? ''));
}

/** Models like to put the whole answer into one fenced block of Markdown, whatever they were asked. */
function withoutFence(text: string): string {
  return /^\s*```[a-z]*\n(?<inner>[\s\S]*?)\n?```\s*$/iu.exec(text)?.groups?.['inner'] ?? text;
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
