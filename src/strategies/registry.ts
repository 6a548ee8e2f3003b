import { async } from './async.ts';
import type { StrategyEntry } from './declaration.ts';
import { isolateSubprocess } from './isolate-subprocess.ts';
import { isolateThreads } from './isolate-threads.ts';
import { isolate } from './isolate.ts';
import { single } from './single.ts';
import { subprocess } from './subprocess.ts';
import { threads } from './threads.ts';

export const strategies: readonly StrategyEntry[] = [
  single,
  async,
  threads,
  subprocess,
  isolate,
  isolateThreads,
  isolateSubprocess,
];
