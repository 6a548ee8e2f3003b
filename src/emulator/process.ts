import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorSettings, Listening } from './settings.ts';

export interface EmulatorOptions {
  /** The folder that the build wrote. */
  readonly distFolder: string;
  readonly settings: EmulatorSettings;
  /** `OTEL_*`, for an emulator that traces. */
  readonly environment: Readonly<Record<string, string>>;
  /** Hears that it died by itself; it is started again on the same port. */
  readonly onRestart: () => void;
}

export interface RunningEmulator {
  readonly endpoint: string;
  /** Of the process that runs now. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Keeps the emulator running as a process of its own, so that it never shares a thread with what is measured.
 * @throws Error when it ends before it first listens (the port is taken, say)
 */
export async function startEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  let stopping = false;
  let { child, port } = await startOnce(options, options.settings.port);
  const watch = (): void => {
    child.once('exit', () => {
      if (!stopping) void restart();
    });
  };
  const restart = async (): Promise<void> => {
    options.onRestart();
    const started = await startAgain(options, port, () => stopping);
    if (started === null) return;
    ({ child } = started);
    if (stopping) child.disconnect();
    else watch();
  };
  watch();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    async stop() {
      stopping = true;
      if (!child.connected) return;
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

/** Tries until it listens on its port again; `null` when it is no longer wanted. */
async function startAgain(
  options: EmulatorOptions,
  port: number,
  unwanted: () => boolean,
): Promise<Started | null> {
  while (!unwanted()) {
    try {
      return await startOnce(options, port);
    } catch {
      // Its own words are on stderr. Until it is back, readiness says that the target can't be reached.
      await sleep(retryMs, undefined, { ref: false });
    }
  }
  return null;
}

const retryMs = 1_000;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startOnce(
  { distFolder, settings, environment }: EmulatorOptions,
  port: number,
): Promise<Started> {
  const child = fork(join(distFolder, 'emulator.js'), [JSON.stringify({ ...settings, port })], {
    execArgv: ['--title=fanout-bench emulator'],
    env: settings.tracing ? { ...environment, OTEL_SERVICE_NAME: 'fanout-emulator' } : {},
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  // Without a listener an error, such as too many open files, would end the service.
  const failed = new Promise<null>((resolve) => child.on('error', () => resolve(null)));
  const first: unknown = await Promise.race([
    failed,
    once(child, 'message').then(([message]: unknown[]) => message),
    once(child, 'exit').then(() => null),
  ]);
  if (isListening(first)) return { child, port: first.port };
  throw new Error(`The emulator could not listen on port ${port}: set EMULATOR_PORT to a free one.`);
}

function isListening(message: unknown): message is Listening {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'listening';
}
