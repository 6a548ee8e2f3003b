import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { guardGroup } from '../reaper.ts';

/** A service that is there for one command. */
export interface OwnService {
  readonly url: string;
  stop(): Promise<void>;
}

/** What its log says as it starts. */
const logLine = z.looseObject({ level: z.int(), msg: z.string(), url: z.string().optional() });
const warnLevel = 40;

/**
 * Starts the service, which was built into `distFolder`, as the environment says, on a free port of the loopback. What
 * it warns of goes to standard error. It ends with this process, however that ends.
 * @throws Error when it does not start; the signal's reason
 */
export async function startOwnService(
  distFolder: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<OwnService> {
  signal.throwIfAborted();
  const service = spawn(
    process.execPath,
    ['--import', join(distFolder, 'register.js'), join(distFolder, 'main.js')],
    {
      // That it listens is said at this level, whatever of its log is wanted elsewhere.
      env: { ...environment, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl+C is for this command, which then ends the service.
      detached: true,
    },
  );
  const closed = new Promise<void>((resolve) => service.once('close', resolve));
  const guarded = service.pid === undefined ? null : guardGroup(service.pid, 'TERM');
  const stop = async (): Promise<void> => {
    service.kill('SIGTERM');
    await closed;
    // That there is no guard was told when the service did not start for want of it.
    (await guarded?.catch(() => null))?.();
  };
  const listening = new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    service.once('error', reject);
    void closed.then(() => reject(new Error('The service did not start.')));
    createInterface(service.stdout).on('line', (line) => {
      const said = readLine(line);
      if (said === null) return;
      if (said.url !== undefined) resolve(said.url);
      if (said.level >= warnLevel) process.stderr.write(`${said.msg}\n`);
    });
  });
  try {
    const [url] = await Promise.all([listening, guarded]);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `null` for what is no line of the log: exporters to the console print there too. */
function readLine(line: string): z.infer<typeof logLine> | null {
  try {
    return logLine.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
