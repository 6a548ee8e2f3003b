import type { FigureGroup } from './figure.ts';
import { bedrock } from './figures/bedrock.ts';
import { collector } from './figures/collector.ts';
import { compare } from './figures/compare.ts';
import { endurance } from './figures/endurance.ts';
import { hedging } from './figures/hedging.ts';
import { isolates, sharing } from './figures/fib.ts';
import { memory } from './figures/memory.ts';
import { overhead } from './figures/overhead.ts';
import { overload } from './figures/overload.ts';
import { s3 } from './figures/s3.ts';
import { sharingCores } from './figures/sharing-cores.ts';
import { sleep } from './figures/sleep.ts';
import { startup } from './figures/startup.ts';
import { throughput } from './figures/throughput.ts';
import { trust } from './figures/trust.ts';
import { warm } from './figures/warm.ts';

/** All figures, in the order of the table. */
export const groups: readonly FigureGroup[] = [
  s3,
  bedrock,
  warm,
  sharing,
  isolates,
  sleep,
  hedging,
  overhead,
  endurance,
  startup,
  throughput,
  collector,
  overload,
  sharingCores,
  memory,
  compare,
  trust,
];
