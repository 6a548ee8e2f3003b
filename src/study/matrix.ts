/** One comparison of the study. */
export interface StudyPart {
  /** Stable: the raw data is found by it. */
  readonly name: string;
  readonly title: string;
  readonly workload: string;
  /** Parameters of the comparison, beside those that all parts share. */
  readonly query: Readonly<Record<string, string>>;
}

/** What the Python study measured, as comparisons: every strategy that is possible, and the race that it asked for. */
export const studyParts: readonly StudyPart[] = [
  part('fib-short', 'CPU work, short: 10 × fib(25)', 'fib', { n: '25' }),
  part('fib-long', 'CPU work, long: 10 × fib(34)', 'fib', { n: '34' }),
  part('sleep', 'Waiting: 10 × 100 ms', 'sleep', { ms: '100' }),
  part('http', 'Web pages: 10 × 60 kB', 'http', {}),
  part('s3', 'S3: 10 objects of 300 kB', 's3', {}),
  part('bedrock', 'Bedrock: 3 calls to a model', 'bedrock', {}),
  part('sts', 'STS: 10 × GetCallerIdentity', 'sts', {}),
  part('race', 'Bedrock: the first of 3 answers', 'bedrock', {
    join: 'all,race',
    strategies: 'presigned-single,presigned-async',
    baseline: 'presigned-single',
  }),
];

function part(name: string, title: string, workload: string, query: StudyPart['query']): StudyPart {
  return { name, title, workload, query };
}
