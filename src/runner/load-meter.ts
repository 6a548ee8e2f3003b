import { performance } from 'node:perf_hooks';
import type { RunnerLoad } from '../record/record.ts';

/** How often the event loop is asked to turn up, in milliseconds. */
const periodMs = 10;

/** How the runner fares, from its making on. To be stopped. */
export class LoadMeter {
  readonly #utilization = performance.eventLoopUtilization();
  readonly #cpu = process.cpuUsage();
  readonly #timer = setInterval(() => this.#turnedUp(), periodMs);
  #dueMs = performance.now() + periodMs;
  #delayMaxMs = 0;

  /** Ends the measurement. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Tells how it fared until now. Unlike `monitorEventLoopDelay` it counts a delay that a blocked loop has not noticed yet.
   * @param processesCpuMs CPU time of processes that the runner's own does not include
   */
  read(processesCpuMs: number): RunnerLoad {
    this.#turnedUp();
    const { utilization } = performance.eventLoopUtilization(this.#utilization);
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      eventLoopDelayMaxMs: this.#delayMaxMs,
      eventLoopUtilization: utilization,
      cpuMs: (user + system) / 1000 + processesCpuMs,
    };
  }

  #turnedUp(): void {
    const now = performance.now();
    this.#delayMaxMs = Math.max(this.#delayMaxMs, now - this.#dueMs);
    this.#dueMs = now + periodMs;
  }
}
