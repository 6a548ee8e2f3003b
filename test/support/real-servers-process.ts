import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Ends it, and is done when it is dead. */
  stop(): Promise<void>;
}

/** How to start a server, and how to see that it serves. */
export interface Launch {
  readonly command: string;
  readonly parameters: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Asked again and again until it says yes. A rejection means not yet. */
  readonly isReady: () => Promise<boolean>;
}

const longestStartMs = 60_000;
const longestStopMs = 5_000;
const launches = 3;

/**
 * Starts a server on ports of 127.0.0.1 that were free a moment ago, and waits until it serves. Another process may
 * take one of them first, so a server that ends at once is tried again on others. Throws with what it printed.
 */
export async function launchOnFreePorts<T extends Launch>(
  count: number,
  plan: (ports: readonly number[]) => T,
): Promise<{ readonly server: ServerProcess; readonly plan: T }> {
  for (let left = launches - 1; ; left--) {
    const planned = plan(await freePorts(count));
    try {
      return { server: await launch(planned), plan: planned };
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

async function launch({ command, parameters, env, isReady }: Launch): Promise<ServerProcess> {
  const child = spawn(command, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed.push(text);
      printed.splice(0, printed.length - 200);
    });
  }
  const killNow = (): boolean => child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'close').finally(() => process.off('exit', killNow));

  const stop = async (): Promise<void> => {
    const impatience = setTimeout(killNow, longestStopMs);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(impatience);
  };

  const deadline = new AbortController();
  const first = await Promise.race([
    ended.then(() => 'ended' as const),
    wait(longestStartMs, 'did not serve in time' as const, { signal: deadline.signal }),
    untilReady(isReady, deadline.signal),
  ]).finally(() => deadline.abort());
  if (first === 'ready' && child.pid !== undefined) return { pid: child.pid, stop };
  await stop();
  throw new Error(`${command} ${first}:\n${printed.join('')}`);
}

async function untilReady(
  isReady: () => Promise<boolean>,
  deadline: AbortSignal,
): Promise<'ready' | 'too late'> {
  while (!deadline.aborted) {
    if (await isReady().catch(() => false)) return 'ready';
    await wait(50);
  }
  return 'too late';
}

async function freePorts(count: number): Promise<readonly number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => {
    const address = holder.address();
    if (address === null || typeof address === 'string')
      throw new Error('A TCP server has an address and a port.');
    return address.port;
  });
  await Promise.all(holders.map((holder) => once(holder.close(), 'close')));
  return ports;
}
