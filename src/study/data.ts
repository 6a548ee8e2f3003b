import { z } from 'zod';
import { comparisonSchema } from '../http/comparison/schema.ts';

/** The study's raw data: what each comparison answered. */
export const studySchema = z.strictObject({
  parts: z.array(z.strictObject({ name: z.string(), answer: comparisonSchema })),
});

export type StudyData = z.infer<typeof studySchema>;
export type StudyAnswer = StudyData['parts'][number]['answer'];
export type StudyCell = StudyAnswer['cells'][number];
export type StudyResult = StudyCell['results'][number];

/**
 * The data as JSON, with one list of samples a line, so that a new measurement is a readable difference: lists and
 * objects that hold no others take one line each.
 */
export function textOf(data: StudyData): string {
  const text = JSON.stringify(data, null, 1);
  // A string of JSON holds no line break, so that none is changed, whatever brackets it has.
  return `${text.replaceAll(/[[{][^[\]{}]*[\]}]/gu, (innermost) => innermost.replaceAll(/\n */gu, ' '))}\n`;
}

/** The cells of a part, by runtime. */
export function cellsOf(data: StudyData, name: string): readonly StudyCell[] {
  return data.parts.find((part) => part.name === name)?.answer.cells ?? [];
}

export function resultOf({ results }: StudyCell, strategy: string): StudyResult | null {
  return results.find((result) => result.strategy === strategy) ?? null;
}
