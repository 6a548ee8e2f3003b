import type { RunPlan, Warning } from '../../record/plan.ts';
import type { RunRecord, SpanIds } from '../../record/record.ts';
import type { WorkloadDeclaration } from '../../workloads/declaration.ts';
import { enoughRounds, seededRandom, shuffled, speedupOf } from '../statistics.ts';
import type {
  ComparisonPlan,
  ComparisonRecord,
  OrderEntry,
  Progress,
  Sample,
  StoppedBy,
} from './comparison.ts';
import { loadNow, machine, stolenMs } from './machine.ts';
import { canShowDifference, pairsOf } from './pairs.ts';
import { sampleOf } from './sample.ts';

/** What a comparison asks of its surroundings. */
export interface ComparisonSurroundings {
  readonly id: string;
  readonly work: WorkloadDeclaration['work'];
  /** `null` where nothing is traced. */
  readonly trace: SpanIds | null;
  readonly signal: AbortSignal;
  /** Milliseconds; only differences count. */
  now(): number;
  /** Executes a run and leaves nothing of it to be done. */
  execute(plan: RunPlan, round: { readonly round: number; readonly strategy: string }): Promise<RunRecord>;
  /** Measures one task alone. */
  calibrate(plan: RunPlan): Promise<void>;
  onProgress(progress: Progress): void;
}

/** A comparison in which nothing can be compared: this run failed, and so did the ones like it. */
export class ComparisonFailure extends Error {
  override readonly name = 'ComparisonFailure';
  readonly record: RunRecord;

  constructor(record: RunRecord) {
    super(record.failure ?? record.outcome);
    this.record = record;
  }

  get code(): RunRecord['outcome'] {
    return this.record.outcome;
  }
}

/** `auto` never goes on longer, however much time there is. */
const mostRounds = 1_000;
/** Fewer are allowed, and warned about. */
const enoughRoundsForMost = 10;
/** A strategy that failed so often in a row is left out. */
const mostFailures = 2;

/**
 * Compares strategies: rounds in which each runs once, cells and strategies in an order shuffled from the seed. A round
 * of a cell is a block: what disturbs it falls on all of its strategies. With `rounds=auto` a cell whose figures are
 * precise is left alone; what is left of the budget goes to the others. What was measured is never thrown away: when
 * only one strategy of a cell is left that does not fail, or not the baseline, that cell ends there.
 *
 * @throws ComparisonFailure when the baseline, or every other strategy, fails before anything could be compared; the
 *   signal's reason when it fires
 */
export async function compare(
  plan: ComparisonPlan,
  around: ComparisonSurroundings,
): Promise<ComparisonRecord> {
  return new Comparison(plan, around).run();
}

class Comparison {
  readonly #plan: ComparisonPlan;
  readonly #around: ComparisonSurroundings;
  readonly #random: () => number;
  readonly #startedMs: number;
  readonly #order: OrderEntry[] = [];
  readonly #warnings: Warning[];
  readonly #cells: Cell[];
  readonly #runtimes = new Map<string, string>();
  #calls = 0;
  #notCollected = 0;
  #mostRounds = 0;
  #blocks = 0;
  #blocksMs = 0;
  #blockStartedMs = 0;

  constructor(plan: ComparisonPlan, around: ComparisonSurroundings) {
    this.#plan = plan;
    this.#around = around;
    this.#random = seededRandom(plan.seed);
    this.#startedMs = around.now();
    this.#warnings = [...plan.warnings];
    this.#cells = plan.cells.map(({ plans }, index) => ({
      index,
      plans: [...plans],
      samples: new Map(plans.map(({ strategy }) => [strategy, []])),
      failures: new Map(),
      rounds: 0,
      endedBy: null,
    }));
  }

  async run(): Promise<ComparisonRecord> {
    const { id, trace } = this.#around;
    const startedAt = new Date().toISOString();
    const before = loadNow();
    await this.#calibrate();
    for (let warmup = 0; warmup < this.#plan.warmup; warmup += 1) await this.#round(0);
    const stoppedBy = await this.#rounds();
    this.#warnOfTooFewRounds();
    this.#warnOfTraces();
    return {
      id,
      plan: this.#plan,
      stoppedBy,
      rounds: this.#mostRounds,
      startedAt,
      durationMs: this.#elapsedMs(),
      machine: machine(),
      load: { before, after: loadNow() },
      order: this.#order,
      cells: this.#cells.map(({ samples }) => ({ samples })),
      trace,
      runtimes: Object.fromEntries(this.#runtimes),
      warnings: this.#warnings,
    };
  }

  async #calibrate(): Promise<void> {
    for (const [cell, { alone }] of this.#plan.cells.entries()) {
      if (alone === null) continue;
      this.#tell('calibration', 0, alone.strategy, cell);
      await this.#around.calibrate(alone);
      this.#around.signal.throwIfAborted();
    }
  }

  async #rounds(): Promise<StoppedBy> {
    const { rounds, budgetMs } = this.#plan;
    for (let round = 1; round <= (rounds === 'auto' ? mostRounds : rounds); round += 1) {
      const ended = await this.#round(round);
      if (ended !== null) return ended;
      if (rounds === 'auto')
        for (const cell of this.#cells) if (this.#isPrecise(cell, round)) cell.endedBy ??= 'precision';
      const all = this.#endedBy();
      if (all !== null) return all;
      if (rounds === 'auto' && this.#elapsedMs() >= budgetMs) return 'budget';
    }
    return 'rounds';
  }

  /** What ended all cells; `null` while one goes on. */
  #endedBy(): StoppedBy | null {
    if (this.#cells.some(({ endedBy }) => endedBy === null)) return null;
    return this.#cells.every(({ endedBy }) => endedBy === 'precision') ? 'precision' : 'failures';
  }

  /** Runs every strategy of every cell once. Gives what ended it early; `null` when nothing did. */
  async #round(round: number): Promise<StoppedBy | null> {
    for (const cell of shuffled(
      this.#cells.filter(({ endedBy }) => endedBy === null),
      this.#random,
    )) {
      if (this.#mayNotCall(cell)) return 'max_calls';
      // The first block is always whole: without it there is nothing to tell.
      const overBudget = this.#plan.rounds === 'auto' && this.#elapsedMs() >= this.#plan.budgetMs;
      if (overBudget && round > 1) return 'budget';
      this.#blockStartedMs = this.#around.now();
      for (const plan of shuffled(cell.plans, this.#random)) await this.#runOnce(plan, cell, round);
      this.#leaveOut(cell, round);
      this.#blocks += 1;
      this.#blocksMs += this.#around.now() - this.#blockStartedMs;
      cell.rounds = round;
      this.#mostRounds = round;
    }
    return null;
  }

  async #runOnce(plan: RunPlan, cell: Cell, round: number): Promise<void> {
    const { signal, work } = this.#around;
    const { strategy } = plan;
    this.#tell(round === 0 ? 'warmup' : 'round', round, strategy, cell.index);
    const stolenBefore = stolenMs();
    const record = await this.#around.execute(plan, { round, strategy });
    const stolenAfter = stolenMs();
    signal.throwIfAborted();
    this.#runtimes.set(plan.runtime, record.runtime.version);
    this.#calls += record.tasks.reduce((calls, { attempts }) => calls + (attempts?.length ?? 1), 0);
    const failures = record.outcome === 'ok' ? 0 : (cell.failures.get(strategy)?.count ?? 0) + 1;
    cell.failures.set(strategy, { count: failures, last: record });
    if (round === 0) return;
    this.#order.push({ round, strategy, cell: cell.index });
    if (record.warnings.some(({ code }) => code === 'trace_not_collected')) this.#notCollected += 1;
    const stolen = stolenBefore === null || stolenAfter === null ? 0 : stolenAfter - stolenBefore;
    cell.samples.get(strategy)?.push(sampleOf(record, round, work, stolen));
  }

  /** Strategies that only fail are not run again; without a baseline, or without any other, a cell has no more rounds. */
  #leaveOut(cell: Cell, round: number): void {
    const { baseline } = this.#plan;
    const failing = [...cell.failures].filter(([, { count }]) => count > 0);
    const failed = failing.filter(([, { count }]) => count >= mostFailures);
    const left = cell.plans.filter(({ strategy }) => failed.every(([name]) => name !== strategy));
    const isOver = left.length < 2 || left.every(({ strategy }) => strategy !== baseline);
    const nothingYet = !this.#cells.some((one) => this.#hasPairs(one));
    const culprit = failed.find(([strategy]) => strategy === baseline) ?? failed[0] ?? failing[0];
    // Where all fail from the start, none need be tried twice.
    if (culprit !== undefined && nothingYet && (isOver || failing.length === cell.plans.length))
      throw new ComparisonFailure(culprit[1].last);
    if (failed.length > 0 && isOver) cell.endedBy = 'failures';
    for (const [strategy, { count, last }] of failed) {
      cell.plans = cell.plans.filter((plan) => plan.strategy !== strategy);
      cell.failures.delete(strategy);
      const when = round === 0 ? 'before the first round' : `after round ${round}`;
      const ending = isOver ? ' Without it there was nothing more to compare.' : '';
      const message = `${strategy} failed ${count} times in a row (${last.outcome}: ${last.failure}) and was left out ${when}.${ending}`;
      this.#warnings.push({ code: 'strategy_failed', message });
    }
  }

  /** Whether anything was measured that can be compared. */
  #hasPairs({ samples }: Cell): boolean {
    const { baseline } = this.#plan;
    return [...samples.keys()].some(
      (strategy) => strategy !== baseline && pairsOf(samples, baseline, strategy).length > 0,
    );
  }

  #isPrecise({ plans, samples }: Cell, round: number): boolean {
    const { baseline } = this.#plan;
    const others = plans.filter(({ strategy }) => strategy !== baseline);
    const speedups = others.flatMap(({ strategy }) => {
      const pairs = pairsOf(samples, baseline, strategy);
      return pairs.length === 0 ? [] : [speedupOf(...pairs.columns)];
    });
    return speedups.length === others.length && enoughRounds(speedups, round);
  }

  /** Of the cell that had the fewest. */
  #warnOfTooFewRounds(): void {
    const fewest = this.#cells.reduce((one, other) => (other.rounds < one.rounds ? other : one));
    const { rounds, samples } = fewest;
    if (rounds >= enoughRoundsForMost) return;
    const which = this.#cells.every((cell) => cell.rounds === rounds) ? '' : ', which some cells had,';
    const what = canShowDifference(rounds, samples.size - 1)
      ? 'too few to show any but large differences'
      : 'too few to show any difference, however large';
    const message = `${rounds === 1 ? `1 round${which} is` : `${rounds} rounds${which} are`} ${what}; take ${enoughRoundsForMost} or more.`;
    this.#warnings.push({ code: 'too_few_rounds', message });
  }

  /** Whoever follows a link should know before. */
  #warnOfTraces(): void {
    if (this.#notCollected === 0) return;
    const which = this.#notCollected === this.#order.length ? 'the links to traces' : 'some links to traces';
    const message = `No collector took the spans of ${this.#notCollected} of ${this.#order.length} runs, so ${which} lead nowhere.`;
    this.#warnings.push({ code: 'trace_not_collected', message });
  }

  /** Whether a round of this cell could make more calls than are allowed. */
  #mayNotCall({ plans }: Cell): boolean {
    const { maxCalls } = this.#plan;
    if (maxCalls === null) return false;
    return this.#calls + plans.reduce((calls, { tasks, attempts }) => calls + tasks * attempts, 0) > maxCalls;
  }

  #elapsedMs(): number {
    return this.#around.now() - this.#startedMs;
  }

  #tell(phase: Progress['phase'], round: number, strategy: string, cell: number): void {
    const { rounds } = this.#plan;
    this.#around.onProgress({
      phase,
      round,
      rounds: rounds === 'auto' ? null : rounds,
      strategy,
      cell,
      cells: this.#cells.length,
      elapsedMs: this.#elapsedMs(),
      leftMs: this.#leftMs(),
    });
  }

  #leftMs(): number | null {
    const { rounds, warmup, budgetMs } = this.#plan;
    if (rounds === 'auto') return Math.max(0, budgetMs - this.#elapsedMs());
    if (this.#blocks === 0) return null;
    const blocks = (rounds + warmup) * this.#cells.length - this.#blocks;
    const leftMs = blocks * (this.#blocksMs / this.#blocks) - (this.#around.now() - this.#blockStartedMs);
    return Math.max(0, leftMs);
  }
}

interface Cell {
  readonly index: number;
  /** Those that are still run. */
  plans: RunPlan[];
  readonly samples: Map<string, Sample[]>;
  /** By strategy: how often in a row it failed, and its last run. */
  readonly failures: Map<string, { readonly count: number; readonly last: RunRecord }>;
  /** How many it had. */
  rounds: number;
  /** Why it has no more of them. */
  endedBy: 'precision' | 'failures' | null;
}
