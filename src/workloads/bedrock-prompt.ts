import type { Validation } from '../record/plan.ts';

/** Small questions of about equal length, so that tasks compete on the model and not on the prompt. */
const subjects = [
  'how tides arise',
  'why leaves change colour',
  'how bread rises',
  'why the sky is blue',
  'how bridges carry loads',
  'why cats purr',
  'how snow forms',
  'why metals conduct',
  'how bees find flowers',
  'why ice floats',
] as const;

/**
 * The prompt of a task: fixed, of no other task, and such that its answer can pass its check. It begins with the task's
 * number, so that one question can be told from the others wherever only its text is seen: `Question 3.`.
 */
export function promptOf(index: number, validate: Validation | null): string {
  return `Question ${index}. ${questionOn(subjects[index % subjects.length] ?? '', validate)}`;
}

function questionOn(subject: string, validate: Validation | null): string {
  switch (validate) {
    case 'json':
      return `Answer with one JSON object and nothing else: explain ${subject}.`;
    case 'sql':
      return `Answer with one SQL statement and nothing else: it selects the documents about ${subject}.`;
    case 'nonempty':
    case null:
      return `Explain ${subject} in three sentences.`;
  }
}
