import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface ConstantServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the server that answers every run with the same bytes. */
export async function startConstantServer(
  answer: string,
  environment: Readonly<Record<string, string>>,
): Promise<ConstantServer> {
  const child = fork(join(import.meta.dirname, 'constant-process.ts'), {
    env: { ...environment },
    execArgv: ['--import', join(import.meta.dirname, '../../dist/register.js')],
  });
  const exited = once(child, 'exit');
  child.send(answer);
  const [url]: string[] = await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('The server that answers with a constant ended.'))),
  ]);
  return {
    url: url ?? '',
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
