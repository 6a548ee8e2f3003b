import { once } from 'node:events';
import { z } from 'zod';
import type { RunningService } from './service.ts';

/** For the service's environment: its inspector opens on a free port when it is asked to. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=0' } as const;

/** A service's memory, asked of its own V8. */
export interface Inspected {
  /** Has it collect all garbage; what is resident then is what it really holds. */
  collectGarbage(): Promise<void>;
  close(): void;
}

const answerSchema = z.looseObject({ id: z.int().optional(), error: z.unknown().optional() });

/** Opens the inspector of a service that was started {@link inspectable}. Speaks the Chrome DevTools Protocol. */
export async function inspect(service: RunningService): Promise<Inspected> {
  process.kill(service.pid, 'SIGUSR1');
  const socket = new WebSocket(await inspectorUrl(service));
  await once(socket, 'open');
  return {
    async collectGarbage() {
      const answered = once(socket, 'message');
      socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
      const [message] = await answered;
      const { id, error } = answerSchema.parse(JSON.parse(message.data));
      if (id !== 1 || error !== undefined) throw new Error(`collectGarbage: ${message.data}`);
    },
    close: () => socket.close(),
  };
}

/** Node prints it. */
async function inspectorUrl({ log }: RunningService): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const url = log.map((line) => /ws:\/\/\S+/.exec(line)?.[0]).find((found) => found !== undefined);
    if (url !== undefined) return url;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('The inspector did not open.');
}
