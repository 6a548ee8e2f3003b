import { z } from 'zod';
import { comparisonSchema } from '../http/schemas.ts';

/** The study's raw data: what each comparison answered. */
export const studySchema = z.strictObject({
  parts: z.array(z.strictObject({ name: z.string(), answer: comparisonSchema })),
});

export type StudyData = z.infer<typeof studySchema>;
export type StudyAnswer = StudyData['parts'][number]['answer'];
export type StudyCell = StudyAnswer['cells'][number];
export type StudyResult = StudyCell['results'][number];

/** The cells of a part, by runtime. */
export function cellsOf(data: StudyData, name: string): readonly StudyCell[] {
  return data.parts.find((part) => part.name === name)?.answer.cells ?? [];
}

export function resultOf({ results }: StudyCell, strategy: string): StudyResult | null {
  return results.find((result) => result.strategy === strategy) ?? null;
}
