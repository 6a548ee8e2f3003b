import type { WorkloadEntry } from './entry.ts';
import { bedrock } from './bedrock.ts';
import { fib } from './fib.ts';
import { http } from './http.ts';
import { s3 } from './s3.ts';
import { sleep } from './sleep.ts';
import { sts } from './sts.ts';

export const workloads: readonly WorkloadEntry[] = [fib, sleep, http, s3, bedrock, sts];
