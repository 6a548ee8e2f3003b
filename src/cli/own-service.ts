import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** A service that is there for one command. */
export interface OwnService {
  readonly url: string;
  stop(): Promise<void>;
}

/** What its log says as it starts. */
const logLine = z.looseObject({ level: z.int(), msg: z.string(), url: z.string().optional() });
const warnLevel = 40;

/**
 * Starts the service, which was built into `distFolder`, as the environment says, on a free port of the loopback. What it warns of goes to standard error.
 * @throws Error when it does not start; the signal's reason
 */
export async function startOwnService(
  distFolder: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<OwnService> {
  const service = spawn(
    process.execPath,
    ['--import', join(distFolder, 'register.js'), join(distFolder, 'main.js')],
    {
      env: { ...environment, HOST: '127.0.0.1', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl+C is for this command, which then ends the service.
      detached: true,
    },
  );
  const closed = once(service, 'close');
  const stop = async (): Promise<void> => {
    if (service.exitCode === null) service.kill('SIGTERM');
    await closed;
  };
  const url = await new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    void closed.then(() => reject(new Error('The service did not start.')));
    createInterface(service.stdout).on('line', (line) => {
      const { level, msg, url: listening } = logLine.parse(JSON.parse(line));
      if (listening !== undefined) resolve(listening);
      if (level >= warnLevel) process.stderr.write(`${msg}\n`);
    });
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, stop };
}
