import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { EmulatorSettings, Listening } from './settings.ts';

export interface RunningEmulator {
  readonly pid: number;
  readonly endpoint: string;
  /** Settles when its process is gone. */
  readonly gone: Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts the emulator as a process of its own, so that it never shares a thread with what is measured.
 * @param environment its whole environment: OTEL_* where it traces
 * @throws Error when it ends before it listens (the port is taken, say)
 */
export async function startEmulator(
  distFolder: string,
  settings: EmulatorSettings,
  environment: Readonly<Record<string, string>>,
): Promise<RunningEmulator> {
  const child = fork(join(distFolder, 'emulator.js'), [JSON.stringify(settings)], {
    execArgv: ['--title=fanout-bench emulator'],
    env: { ...environment },
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const gone = once(child, 'exit');
  const first: unknown = await Promise.race([
    once(child, 'message').then(([message]: unknown[]) => message),
    gone.then(() => null),
  ]);
  if (!isListening(first) || child.pid === undefined) {
    throw new Error(`the emulator could not listen on port ${settings.port}: set EMULATOR_PORT to a free one`);
  }
  return {
    pid: child.pid,
    endpoint: `http://127.0.0.1:${first.port}`,
    gone,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function isListening(message: unknown): message is Listening {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'listening';
}
