import type { WorkloadEntry } from './entry.ts';
import { fib } from './fib.ts';
import { s3 } from './s3.ts';
import { sleep } from './sleep.ts';

export const workloads: readonly WorkloadEntry[] = [fib, sleep, s3];
