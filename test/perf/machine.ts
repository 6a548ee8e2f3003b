import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type as system } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { task } from '../../src/workloads/fib.ts';
import { median } from './statistics.ts';

/** What figures were measured on. */
export interface Machine {
  readonly system: string;
  readonly cores: number;
  readonly model: string;
  readonly memoryMb: number;
  readonly versions: Readonly<Record<string, string>>;
}

const packageSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

export function thisMachine(): Machine {
  const file = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { version, dependencies } = packageSchema.parse(JSON.parse(file));
  return {
    system: `${system()} ${release()} ${process.arch}`,
    cores: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryMb: Math.round(totalmem() / 2 ** 20),
    versions: {
      'fanout-bench': version,
      node: process.versions.node,
      v8: process.versions.v8,
      ...dependencies,
    },
  };
}

/** What else is known of the machine at one time: figures with computing in them depend on it. */
export interface Condition {
  /** Processes that wanted a core, on average over the last minute. */
  readonly loadAverage: number;
  /** How long `fib(32)` takes on one core, in milliseconds. */
  readonly fib32Ms: number;
}

/** Takes some tenths of a second. */
export function presentCondition(): Condition {
  const load = loadavg()[0] ?? 0;
  const samples = Array.from({ length: 9 }, () => {
    const startedMs = performance.now();
    task.run({ n: 32 });
    return performance.now() - startedMs;
  });
  return { loadAverage: load, fib32Ms: median(samples) };
}
