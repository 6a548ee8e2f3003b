/**
 * Corrects p-values for their number, so that the chance of any false finding among them stays below the level that
 * they are held against, however they depend on each other (Holm, A Simple Sequentially Rejective Multiple Test
 * Procedure, 1979): the least is multiplied by their number, the next by one less, and none is below one before it.
 *
 * @returns the corrected p-values, at most 1, in the order given
 */
export function holm(pValues: readonly number[]): number[] {
  const corrected = pValues.map(() => 1);
  let atLeast = 0;
  const byP = pValues.map((p, index) => ({ p, index })).toSorted((a, b) => a.p - b.p);
  for (const [rank, { p, index }] of byP.entries()) {
    atLeast = Math.max(atLeast, Math.min(1, p * (pValues.length - rank)));
    corrected[index] = atLeast;
  }
  return corrected;
}
