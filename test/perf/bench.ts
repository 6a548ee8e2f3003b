import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../../build.ts';
import { seededRandom } from '../../src/bench/statistics.ts';
import type { FigureGroup, Settings } from './figure.ts';
import { presentCondition, thisMachine, type Condition } from './machine.ts';
import { groups } from './registry.ts';
import { allMet, tableOf, type Measurement } from './report.ts';

/**
 * Measures how fast the service is, as ratios within one run, against the service as users start it. Prints a table,
 * writes every sample to results/latest.json, and exits with 1 when a figure is missed.
 *
 *     npm run bench -- [--only GROUP]... [--rounds N] [--warmups N] [--seed N]
 */
const { values: given } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '10' },
    warmups: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const chosen = groupsNamed(given.only);
const rounds = wholeNumber('rounds', given.rounds, 1);
const warmups = wholeNumber('warmups', given.warmups, 0);
const seed = wholeNumber('seed', given.seed, 0);
const random = seededRandom(seed);

await build();
const machine = thisMachine();
const before = presentCondition();
say(`${machine.cores} cores (${machine.model}), Node ${machine.versions['node']}, ${conditionText(before)}`);
say(`${rounds} rounds a figure after at most ${warmups} to warm up, in shuffled order (seed ${seed})`);
const startedAt = new Date().toISOString();
const measurements: Measurement[] = [];
for (const group of chosen) {
  say(`measuring ${group.name}`);
  measurements.push(await measured(group, { rounds, warmups, random }));
}
const after = presentCondition();
const met = allMet(measurements);
const file = join(import.meta.dirname, 'results', 'latest.json');
await mkdir(dirname(file), { recursive: true });
const result = { startedAt, seed, rounds, warmups, machine, before, after, met };
await writeFile(file, `${JSON.stringify({ ...result, measurements }, null, 2)}\n`);
say(`\n${tableOf(measurements)}\n`);
say(`Now ${conditionText(after)}. All samples: ${file}`);
if (!met) process.exitCode = 1;

/** A group that fails does not keep the others from being measured. */
async function measured(group: FigureGroup, settings: Settings): Promise<Measurement> {
  try {
    return { group: group.name, state: 'measured', figures: await group.measure(settings) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { group: group.name, state: 'failed', error: text };
  }
}

function groupsNamed(names: readonly string[]): readonly FigureGroup[] {
  const unknown = names.filter((name) => !groups.some((group) => group.name === name));
  const all = groups.map(({ name }) => name).join(', ');
  if (unknown.length > 0) throw new Error(`--only: ${unknown.join(', ')} is none of ${all}.`);
  return names.length === 0 ? groups : groups.filter(({ name }) => names.includes(name));
}

function wholeNumber(option: string, text: string, minimum: number): number {
  if (!/^\d{1,9}$/u.test(text) || Number(text) < minimum)
    throw new Error(`--${option}: "${text}" is not a whole number from ${minimum} up.`);
  return Number(text);
}

function conditionText({ loadAverage, fib32Ms }: Condition): string {
  return `load ${loadAverage.toFixed(2)}, fib(32) in ${fib32Ms.toFixed(1)} ms`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
