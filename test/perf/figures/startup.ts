import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { spreadOf, type FigureGroup } from '../figure.ts';
import { interleave, way } from '../rounds.ts';
import { median } from '../statistics.ts';

/** From `npm start` until the service says that it is ready: runner up, emulator reachable. */
export const startup: FigureGroup = {
  name: 'startup',
  async measure(settings) {
    const start = way('npm start', startOnce);
    await interleave([start], { ...settings, rounds: 5, warmups: 1 });
    return [
      {
        name: 'npm start to ready',
        unit: 'ms',
        measured: median(start.samples),
        spread: spreadOf(start.samples),
        atMost: 2_000,
        note: null,
        samples: { 'ready after ms': start.samples },
      },
    ];
  },
};

async function startOnce(): Promise<number> {
  const startedMs = performance.now();
  // A group of its own, so that npm's shell and the service both get the signal that ends them.
  const npm = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '../../..'),
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      npm_config_update_notifier: 'false',
      PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const closed = once(npm, 'close');
  try {
    const url = await Promise.race([
      listening(npm),
      closed.then(() => Promise.reject(new Error('npm start ended before it listened.'))),
    ]);
    while (!(await fetch(`${url}/readyz`)).ok) await wait(10);
    return performance.now() - startedMs;
  } finally {
    if (npm.pid !== undefined && npm.exitCode === null) process.kill(-npm.pid, 'SIGTERM');
    await closed;
  }
}

/** The address that the service logs. */
function listening({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (stdout === null) return;
    createInterface(stdout).on('line', (line) => {
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
