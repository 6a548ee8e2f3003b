import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { platform } from 'node:process';

/** Memory of some processes together, in MB of 10^6 bytes. */
export interface Memory {
  /** Each page as often as processes have it. */
  readonly residentMb: number;
  /** Each page once, shared out among all processes that have it (PSS); `null` where only Linux would tell. */
  readonly proportionalMb: number | null;
}

export function memoryOf(pids: readonly number[]): Memory {
  return {
    residentMb: sum(pids.map(residentKb)),
    proportionalMb: platform === 'linux' ? sum(pids.map(proportionalKb)) : null,
  };
}

function sum(kilobytes: readonly number[]): number {
  return (kilobytes.reduce((total, each) => total + each, 0) * 1_024) / 1e6;
}

function residentKb(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}

function proportionalKb(pid: number): number {
  return rolledUpKb(pid, 'Pss');
}

/**
 * What a process allocated itself: heaps, stacks, buffers. Programs and libraries are not counted, whose share depends on
 * who else has them. Linux.
 */
export function anonymousKb(pid: number): number {
  return rolledUpKb(pid, 'Pss_Anon');
}

function rolledUpKb(pid: number, name: string): number {
  const told = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'mu').exec(told)?.[1]);
}
