import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { behaviourSchema, receiverQuestionSchema, type ReceiverNews } from './receiver-messages.ts';

/** The process behind {@link ./receiver.ts}: it ends when whoever started it lets go of it. */

/** With nothing new for so long, what is missing is taken for lost. */
const silenceMs = 10_000;

const receiver = await OtlpReceiver.listen();
receiver.behaviour = behaviourSchema.parse(process.argv[2]);
const ids = new Set<string>();
let received = 0;

process.on('message', (message) => {
  void tellWhenHere(receiverQuestionSchema.parse(message).taskSpans);
});
process.on('disconnect', () => void receiver.close());
tell({ type: 'listening', url: receiver.url });

async function tellWhenHere(expected: number): Promise<void> {
  let lastNewsMs = performance.now();
  while (received < expected && performance.now() - lastNewsMs < silenceMs) {
    if (count()) lastNewsMs = performance.now();
    else await sleep(5);
  }
  tell({ type: 'taskSpans', received, distinct: ids.size });
}

/** Counts what arrived since it last did, and lets go of it; says whether there was anything. */
function count(): boolean {
  const spans = receiver.spans.splice(0);
  for (const { name, spanId } of spans) {
    if (!name.startsWith('task ')) continue;
    ids.add(spanId);
    received += 1;
  }
  return spans.length > 0;
}

function tell(news: ReceiverNews): void {
  process.send?.(news);
}
