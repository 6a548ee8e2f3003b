import { comparePaired } from '../bench/statistics.ts';
import { cellsOf, resultOf, type StudyCell, type StudyData, type StudyResult } from './data.ts';
import { percent, ratio } from './figures.ts';

/** One finding of the Python study, held against this data. */
export interface Finding {
  readonly claim: string;
  readonly holds: Verdict;
  /** Figures, a runtime a line. */
  readonly figures: readonly string[];
  readonly why: string;
}

/**
 * In every runtime; `null`: not shown in all of them, for want of rounds, of the strategies, or of quiet. `as far as it
 * can`: no way of sending could save so much of these answers, and this one saves nearly all that could be. `not
 * everywhere`: in some it does not hold, in others it does, or neither is shown.
 */
export type Verdict = boolean | 'as far as it can' | 'not everywhere' | null;

/** How much of what can be saved at all is nearly all of it. */
const nearlyAll = 0.98;

/** Every finding, from the data alone. */
export function findingsOf(data: StudyData): readonly Finding[] {
  return [
    isolatesBeatProcesses(data),
    savesTime(data, {
      part: 's3',
      claim:
        'Requests to S3 that are signed first and sent at once save 90 % of the time that the SDK takes one by one.',
      saved: 0.9,
      why: 'The 90 % of the study hold for its parallel part alone: with the making of clients and the signing counted, its own code saves 68 % on 2 cores at 30 ms of latency. Both are given here: `durationMs` is the whole, `fanOutMs` the parallel part. What is left is the slowest answer and the receiving of 3 MB; no way of sending can save that.',
    }),
    savesTime(data, {
      part: 'bedrock',
      claim:
        'Three calls to a model that are signed first and sent at once save 60 % of the time that the SDK takes one by one.',
      saved: 0.6,
      why: 'Three calls at once take as long as the slowest of them. How much that saves depends on how much the answers differ: were all as long, it would be 67 %.',
    }),
    threadsGain(data),
    startUpDominates(data),
    raceEndsFirst(data),
  ];
}

function isolatesBeatProcesses(data: StudyData): Finding {
  const compared = ['fib-short', 'fib-long'].flatMap((part) =>
    cellsOf(data, part).flatMap((cell) => {
      const against = compare(cell, 'subprocess', 'isolate-threads');
      return against === null ? [] : [{ part, cell, ...against }];
    }),
  );
  return {
    claim: 'Subinterpreters beat subprocesses for CPU work.',
    holds: every(compared.map(isFaster)),
    figures: compared.map(
      ({ part, cell, speedup, speedupCi }) =>
        `${runtimeOf(cell)}, ${part}: isolate-threads is ${withRange(speedup, speedupCi)} times as fast as subprocess`,
    ),
    why: 'An isolate starts on a thread of a process that is there already. A process must load Node first, which takes longer than the short work itself; the longer the work, the less that matters.',
  };
}

interface Saving {
  readonly part: string;
  readonly claim: string;
  readonly saved: number;
  readonly why: string;
}

function savesTime(data: StudyData, { part, claim, saved, why }: Saving): Finding {
  const all = cellsOf(data, part).flatMap((cell) => {
    const [one, presigned] = [resultOf(cell, 'sdk-single'), resultOf(cell, 'presigned-async')];
    if (one === null || presigned === null) return [];
    const whole = 1 / comparePaired(one.samplesMs, presigned.samplesMs).speedup;
    const parallel = 1 / comparePaired(one.samplesMs, presigned.fanOutSamplesMs).speedup;
    const limit = (presigned.analysis?.limitMs ?? 0) / (one.medianMs ?? Infinity);
    return [{ cell, whole, parallel, limit }];
  });
  return {
    claim,
    holds: every(all.map(({ parallel, limit }) => savesSo(1 - parallel, saved, 1 - limit))),
    figures: all.map(
      ({ cell, whole, parallel, limit }) =>
        `${runtimeOf(cell)}: −${percent(1 - whole)} of \`durationMs\`; −${percent(1 - parallel)} with presigned-async's \`fanOutMs\` alone; no way of sending could save more than ${percent(1 - limit)}`,
    ),
    why,
  };
}

function savesSo(measured: number, claimed: number, possible: number): Verdict {
  if (measured >= claimed - 0.005) return true;
  return possible < claimed && measured >= nearlyAll * possible ? 'as far as it can' : false;
}

function threadsGain(data: StudyData): Finding {
  const compared = cellsOf(data, 'fib-long').flatMap((cell) => {
    const against = compare(cell, 'single', 'threads');
    return against === null ? [] : [{ cell, ...against }];
  });
  return {
    claim: 'Threads gain nothing for CPU work.',
    holds: every(compared.map(gainsNothing)),
    figures: compared.map(
      ({ cell, speedup, speedupCi }) =>
        `${runtimeOf(cell)}: threads are ${withRange(speedup, speedupCi)} times as fast as single for fib(34)`,
    ),
    why: "In Python one lock keeps threads from computing at once. A worker thread of Node has a V8 isolate of its own and no such lock: what limits it is the machine's cores.",
  };
}

function startUpDominates(data: StudyData): Finding {
  const strategies = ['threads', 'subprocess', 'isolate-threads', 'isolate-subprocess'];
  const all = cellsOf(data, 'fib-short').flatMap((cell) =>
    strategies.flatMap((strategy) => {
      const result = resultOf(cell, strategy);
      return result?.shares == null ? [] : [{ cell, strategy, prepared: preparedShare(result) }];
    }),
  );
  return {
    claim: 'Start-up costs dominate short tasks.',
    holds: every(all.map(({ prepared }) => prepared > 0.5)),
    figures: all.map(
      ({ cell, strategy, prepared }) =>
        `${runtimeOf(cell)}: ${percent(prepared)} of ${strategy} is making workers or isolates, or waiting for them to be made`,
    ),
    why: 'Along the critical path, from the join back to the start. `pool=warm` saves what can be kept.',
  };
}

function raceEndsFirst(data: StudyData): Finding {
  const cells = cellsOf(data, 'race');
  const all = cells.flatMap((race) => {
    if (race.params['join'] !== 'race') return [];
    const whole = cells.find(
      ({ params }) => params['join'] === 'all' && params['runtime'] === race.params['runtime'],
    );
    const [first, last] = [resultOf(race, 'presigned-async'), whole && resultOf(whole, 'presigned-async')];
    if (first?.medianMs == null || last?.medianMs == null) return [];
    return [{ race, part: first.medianMs / last.medianMs }];
  });
  return {
    claim: 'A race returns with the fastest answer.',
    holds: every(all.map(({ part }) => part < 1)),
    figures: all.map(
      ({ race, part }) =>
        `${runtimeOf(race)}: the first of 3 answers takes ${ratio(part)} of the time of all 3`,
    ),
    why: 'The study asks for it where a model sometimes answers slowly. What loses is really stopped: its connection is closed.',
  };
}

function preparedShare({ shares }: StudyResult): number {
  if (shares === null) return 0;
  const total = Object.values(shares).reduce((sum, ms) => sum + ms, 0);
  return total === 0 ? 0 : (shares.prepare + shares.queue) / total;
}

function compare(cell: StudyCell, baseline: string, strategy: string) {
  const [one, other] = [resultOf(cell, baseline), resultOf(cell, strategy)];
  if (one === null || other === null || one.samplesMs.length !== other.samplesMs.length) return null;
  return one.samplesMs.length === 0 ? null : comparePaired(one.samplesMs, other.samplesMs);
}

interface Against {
  readonly speedupCi: readonly [number, number] | null;
}

/** `null`: not shown either way. */
function isFaster({ speedupCi }: Against): boolean | null {
  if (speedupCi === null) return null;
  const [lowest, highest] = speedupCi;
  if (lowest > 1) return true;
  return highest < 1 ? false : null;
}

/** That nothing is gained is shown where the gain is below 5 % for sure: not by a wide interval. */
function gainsNothing({ speedupCi }: Against): boolean | null {
  if (speedupCi === null) return null;
  const [lowest, highest] = speedupCi;
  if (lowest > 1) return false;
  return highest < 1.05 ? true : null;
}

function every(answers: readonly Verdict[]): Verdict {
  if (answers.includes(false)) {
    return answers.every((answer) => answer === false) ? false : 'not everywhere';
  }
  if (answers.length === 0 || answers.includes(null)) return null;
  return answers.every((answer) => answer === true) ? true : 'as far as it can';
}

function runtimeOf({ params }: StudyCell): string {
  return String(params['runtime']);
}

function withRange(speedup: number, interval: readonly [number, number] | null): string {
  return interval === null
    ? ratio(speedup)
    : `${ratio(speedup)} (${ratio(interval[0])} … ${ratio(interval[1])})`;
}
