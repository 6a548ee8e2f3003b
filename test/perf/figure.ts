import { median } from './statistics.ts';

/** One figure, measured: what the table has a line for. */
export interface Figure {
  /** What is compared with what, for people. */
  readonly name: string;
  readonly unit: '×' | 'ms' | 'MB' | 'spans' | 'of 100';
  readonly measured: number;
  /** The least and the most of any round. */
  readonly spread: { readonly least: number; readonly most: number };
  /** The most that `measured` may be; `null`: a reference that others are read beside. */
  readonly atMost: number | null;
  /** What else a reader of the table should see. */
  readonly note: string | null;
  /** Every measured sample, by name with its unit, in the order of the rounds. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

/** What a group of figures is given to measure with. */
export interface Settings {
  /** Measured rounds; a warm-up round comes before them. */
  readonly rounds: number;
  /** Rounds before them that are not kept. */
  readonly warmups: number;
  /** The next number from 0 up to 1, from the printed seed. */
  readonly random: () => number;
}

/** Figures that are measured together, on the same processes. */
export interface FigureGroup {
  /** For `--only`. */
  readonly name: string;
  measure(settings: Settings): Promise<readonly Figure[]>;
}

/** Two ways measured in the same rounds, in milliseconds. */
export interface Compared {
  readonly name: string;
  readonly samples: readonly number[];
}

/** The median of one way over the median of another; the spread is that of the rounds' own ratios. */
export function ratio(name: string, way: Compared, base: Compared, atMost: number | null): Figure {
  const byRound = way.samples.map((sample, round) => sample / (base.samples[round] ?? Number.NaN));
  return {
    name,
    unit: '×',
    measured: median(way.samples) / median(base.samples),
    spread: spreadOf(byRound),
    atMost,
    note: `${median(way.samples).toFixed(1)} of ${median(base.samples).toFixed(1)} ms`,
    samples: { [`${way.name} ms`]: way.samples, [`${base.name} ms`]: base.samples },
  };
}

/** The least and the most of some numbers. */
export function spreadOf(numbers: readonly number[]): Figure['spread'] {
  return { least: Math.min(...numbers), most: Math.max(...numbers) };
}

/** Whether a figure keeps its limit; one without a limit does. What could not be measured (NaN) does not. */
export function isMet({ measured, atMost }: Figure): boolean {
  return atMost === null || measured <= atMost;
}
