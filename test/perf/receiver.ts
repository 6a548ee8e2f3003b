import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Behaviour } from '../support/otlp-receiver.ts';
import { receiverNewsSchema, type ReceiverNews } from './receiver-messages.ts';

/** A collector in a process of its own, so that what it costs is not part of what is measured. */
export interface Receiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** Waits until so many task spans arrived since it started, or no more do; says how many there are. */
  taskSpans(expected: number): Promise<{ readonly received: number; readonly distinct: number }>;
  stop(): Promise<void>;
}

/** @param behaviour what it does with what it is sent */
export async function startReceiver(behaviour: Behaviour = 'accept'): Promise<Receiver> {
  const child = fork(join(import.meta.dirname, 'receiver-process.ts'), [behaviour], { env: {} });
  const exited = once(child, 'exit');
  const news = async <Type extends ReceiverNews['type']>(
    type: Type,
  ): Promise<Extract<ReceiverNews, { type: Type }>> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error('The receiver ended.'))),
    ]);
    const parsed = receiverNewsSchema.parse(message);
    if (!isOf(parsed, type)) throw new Error(`"${parsed.type}" came instead of "${type}".`);
    return parsed;
  };
  const { url } = await news('listening');
  return {
    url,
    async taskSpans(expected) {
      child.send({ type: 'expect', taskSpans: expected });
      return news('taskSpans');
    },
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

function isOf<Type extends ReceiverNews['type']>(
  news: ReceiverNews,
  type: Type,
): news is Extract<ReceiverNews, { type: Type }> {
  return news.type === type;
}
