import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Ends it, and is done when it is dead. */
  stop(): Promise<void>;
}

interface Launch {
  readonly command: string;
  readonly parameters: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it serves; asked again and again until it says so. A rejection means no. */
  readonly isReady: () => Promise<boolean>;
}

const longestStartMs = 60_000;
const longestStopMs = 5_000;

/** Starts a server and waits until it serves. Throws with what it printed if it ends before, or never does. */
export async function launch({ command, parameters, env = {}, isReady }: Launch): Promise<ServerProcess> {
  const child = spawn(command, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  }
  const ended = once(child, 'close');
  // Its own end is dealt with where it is awaited; here it must only not count as unhandled.
  ended.catch(() => {});
  const killNow = (): boolean => child.kill('SIGKILL');
  process.once('exit', killNow);

  const stop = async (): Promise<void> => {
    process.off('exit', killNow);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const impatience = setTimeout(killNow, longestStopMs);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(impatience);
  };

  const deadline = AbortSignal.timeout(longestStartMs);
  const ready = async (): Promise<'ready' | 'slow'> => {
    while (!deadline.aborted && child.exitCode === null) {
      if (await isReady().catch(() => false)) return 'ready';
      await wait(50);
    }
    return 'slow';
  };
  const first = await Promise.race([ready(), ended.then(() => 'ended' as const)]);
  if (first === 'ready' && child.pid !== undefined) return { pid: child.pid, stop };
  await stop();
  throw new Error(`${command} ${first === 'ended' ? 'ended' : 'did not serve in time'}:\n${printed.join('')}`);
}

/** Ports of 127.0.0.1 that nothing listens on, all different. Another process may take one before it is used. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => {
    const address = holder.address();
    if (address === null || typeof address === 'string') throw new Error('A TCP server has an address and a port.');
    return address.port;
  });
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')));
  return ports;
}
