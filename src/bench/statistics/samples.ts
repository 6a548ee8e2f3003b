/** @throws RangeError unless there is at least one sample and all are finite and above 0 */
export function assertSamples(samplesMs: readonly number[]): void {
  if (samplesMs.length === 0) throw new RangeError('There are no samples');
  const wrong = samplesMs.find((ms) => !Number.isFinite(ms) || ms <= 0);
  if (wrong !== undefined) throw new RangeError(`A sample must be above 0 ms, and finite, not ${wrong}`);
}

/** A sorted copy, the least first. */
export function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}
