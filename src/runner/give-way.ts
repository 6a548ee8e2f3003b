import { writeFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../system-error.ts';

/** How much nicer than this process: what POSIX's `nice` adds by default, one ninth of the weight in Linux's scheduler. */
const nicer = 10;
const nicest = 19;
/** Linux lets who has no privileges set the priority of one session in a tenth of a second, over all users. */
const againMs = 100;
const mostTimes = 50;

/**
 * Has a new process, which leads a session, give way to this one and its like where both want the cores: it and all that
 * it begins run at a lower priority. Where Linux shares the cores by sessions first (`sched_autogroup`), the priority is
 * the session's, which is set as soon as the system lets us. What can't be set stays as it is.
 */
export async function giveWay(pid: number): Promise<void> {
  try {
    setPriority(pid, Math.min(nicest, getPriority() + nicer));
    await setOfSession(pid);
  } catch {
    // It is gone, or the system has no such thing.
  }
}

async function setOfSession(pid: number): Promise<void> {
  for (let time = 0; time < mostTimes; time += 1) {
    try {
      return await writeFile(`/proc/${pid}/autogroup`, String(nicer), { flag: 'r+' });
    } catch (error) {
      if (!isSystemError(error, 'EAGAIN')) throw error;
    }
    await sleep(againMs, null, { ref: false });
  }
}
