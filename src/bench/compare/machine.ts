import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What the runs had under them. */
export interface Machine {
  readonly cpu: string;
  /** How many the service may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly architecture: string;
}

/** How busy the machine is. */
export interface Load {
  /** Average number of processes that run or wait for a core, over the last minute; 0 on Windows. */
  readonly loadAverage1m: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${platform()} ${release()}`,
    architecture: arch(),
  };
}

export function loadNow(): Load {
  return { loadAverage1m: Math.round((loadavg()[0] ?? 0) * 100) / 100 };
}

/** How long other machines had this one's cores, in milliseconds, since it started; `null` where nobody tells (only Linux does). */
export function stolenMs(): number | null {
  try {
    // proc_pid_stat(5): user nice system idle iowait irq softirq steal, in ticks of 10 ms.
    const [, ...ticks] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/ +/) ?? [];
    const steal = Number(ticks[7]);
    return Number.isFinite(steal) ? steal * 10 : null;
  } catch {
    return null;
  }
}
