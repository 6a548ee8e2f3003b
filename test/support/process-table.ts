import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Its title, or the command it was started with. */
  readonly title: string;
}

/** Every process of the machine, zombies left out. Linux and macOS. */
export function processTable(): ProcessRow[] {
  return execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((row) => row !== null && row[4]?.startsWith('Z') !== true)
    .map((row) => ({
      pid: Number(row?.[1]),
      parent: Number(row?.[2]),
      group: Number(row?.[3]),
      title: row?.[5] ?? '',
    }));
}

/** Process workers of a runner: members of its group but itself. */
export function workersOf(runnerPid: number | null): number[] {
  return processTable()
    .filter(({ group, pid }) => group === runnerPid && pid !== runnerPid)
    .map(({ pid }) => pid);
}

/** How many worker threads a runner has, by their names. Linux. */
export function workerThreadsOf(runnerPid: number | null): number {
  const folder = `/proc/${runnerPid}/task`;
  // The kernel keeps fifteen characters of a name.
  const names = readdirSync(folder).map((id) => readFileSync(`${folder}/${id}/comm`, 'utf8').trim());
  return names.filter((name) => name === 'fanout-bench wo').length;
}

/** The children of a process that bear a role's title (`fanout-bench runner`). */
export function childrenOf(parentPid: number, title: string): number[] {
  return processTable()
    .filter((row) => row.parent === parentPid && row.title.startsWith(title))
    .map(({ pid }) => pid);
}

/** Resident memory of a process, in MB. Linux and macOS. */
export function residentMbOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

export function isAlive(pid: number | null): boolean {
  return processTable().some((row) => row.pid === pid);
}
