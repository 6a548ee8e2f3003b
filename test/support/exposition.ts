/** One line of Prometheus's text format that has a value. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What `/metrics` tells. */
export class Exposition {
  readonly series: readonly Series[];
  /** The TYPE of each metric. */
  readonly types: ReadonlyMap<string, string>;

  /** @throws Error with a line that is none of the format's */
  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '');
    this.series = lines.filter((line) => !line.startsWith('#')).map(seriesOf);
    this.types = new Map(
      lines.flatMap((line) => {
        const [, name, type] = /^# TYPE (\S+) (\S+)$/u.exec(line) ?? [];
        return name === undefined || type === undefined ? [] : [[name, type] as const];
      }),
    );
  }

  /** Every label name there is, sorted. */
  get labelNames(): readonly string[] {
    return [...new Set(this.series.flatMap(({ labels }) => Object.keys(labels)))].toSorted();
  }

  /** Those of that name that have all these labels. */
  of(name: string, labels: Readonly<Record<string, string>> = {}): readonly Series[] {
    return this.series.filter(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
  }

  /** The sum of their values; 0 where there are none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.of(name, labels).reduce((total, { value }) => total + value, 0);
  }

  /** The upper bounds of a histogram's buckets, without the infinite one. */
  boundaries(name: string): readonly number[] {
    const bounds = this.of(`${name}_bucket`).map(({ labels }) =>
      Number(labels['le']?.replace('+Inf', 'Infinity')),
    );
    return [...new Set(bounds)].filter(Number.isFinite);
  }
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/u;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gu;

function seriesOf(text: string): Series {
  const [, name, labels = '', value] = line.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`This is no line of the format: ${text}`);
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(label)].map(([, key = '', told = '']) => [key, told])),
    value: Number(value.replace('Inf', 'Infinity')),
  };
}
