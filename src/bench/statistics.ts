/** What `/compare` says of its samples. All of it is pure: the same samples give the same numbers. */
export { holm } from './statistics/holm.ts';
export {
  comparePaired,
  speedupOf,
  verdictOf,
  type PairedComparison,
  type Speedup,
  type Verdict,
} from './statistics/paired.ts';
export { enoughRounds, isPrecise } from './statistics/precision.ts';
export { seededRandom, shuffled } from './statistics/random.ts';
export { summarize, type SampleSummary } from './statistics/summary.ts';
