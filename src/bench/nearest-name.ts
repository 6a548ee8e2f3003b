/** More slips than this, and a name was meant for something else. */
const mostSlips = 2;

/** To put behind a problem: which names were probably meant, as a question; empty when none is near. */
export function didYouMean(given: string, names: readonly string[]): string {
  const nearest = nearestName(given, names);
  const meant = nearest === null ? names.filter((name) => withoutFirstWord(name) === given) : [nearest];
  return meant.length === 0 ? '' : `; did you mean ${meant.map((name) => `"${name}"`).join(' or ')}?`;
}

/** `presigned-async` is `async` without its access. */
function withoutFirstWord(name: string): string {
  return name.slice(name.indexOf('-') + 1);
}

/** The name that was probably meant; `null` when none is near. A slip is a letter left out, added or changed. */
function nearestName(given: string, names: readonly string[]): string | null {
  const near = names
    .map((name) => ({ name, slips: slipsBetween(given.toLowerCase(), name.toLowerCase()) }))
    // Of a name of two letters, two slips leave nothing.
    .filter(({ name, slips }) => slips <= mostSlips && slips < name.length)
    .toSorted((one, other) => one.slips - other.slips);
  return near[0]?.name ?? null;
}

/** Levenshtein's distance, a row at a time. What is far longer is not compared: it comes from outside. */
function slipsBetween(given: string, name: string): number {
  if (Math.abs(given.length - name.length) > mostSlips) return Infinity;
  let above = Array.from({ length: name.length + 1 }, (_, column) => column);
  for (let row = 0; row < given.length; row += 1) {
    const current = [row + 1];
    for (let column = 0; column < name.length; column += 1) {
      const changed = (above[column] ?? 0) + (given[row] === name[column] ? 0 : 1);
      current.push(Math.min(changed, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
