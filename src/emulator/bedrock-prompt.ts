import { z, ZodError } from 'zod';
import type { ModelInterface } from './bedrock-interface.ts';
import type { Prompt } from './reply.ts';

/** The prompt in a request's body, or what is wrong with the body. */
export function readPrompt(form: ModelInterface, body: Uint8Array): Prompt | string {
  try {
    return form.promptOf(JSON.parse(new TextDecoder().decode(body)));
  } catch (error) {
    if (error instanceof SyntaxError) return malformed(error.message);
    if (error instanceof ZodError) return malformed(error.issues.map(written).join('; '));
    throw error;
  }
}

function written({ path, message }: ZodError['issues'][number]): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function malformed(why: string): string {
  return `Malformed input request: ${why}, please reformat your input and try again.`;
}

/** Text that says something; Bedrock refuses any other. */
export const saidText = z.string().regex(/\S/, 'the text is blank');
