import { dirname } from 'node:path';
import { bundlesIn } from '../execution/bundles.ts';
import { workersRoom } from '../execution/room.ts';
import { IdleGarbage } from '../idle-garbage.ts';
import { executeOrder } from './execute-order.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import { Outbox } from './outbox.ts';

/**
 * The measured process. It knows no Express and no OpenTelemetry SDK: runs come and news goes by IPC. Its
 * environment is what the service chose for it, AWS credentials included, and nothing else.
 */
const awsEnvironment = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const outbox = new Outbox<FromRunner>((messages) => process.send?.(messages));
const send = (message: FromRunner): void => outbox.post(message);
const world = {
  bundles: bundlesIn(dirname(process.argv[1] ?? '')),
  awsEnvironment,
  kindsRun: new Set<string>(),
  send,
  flush: () => outbox.flush(),
};
const garbage = new IdleGarbage();
const running = new Map<string, AbortController>();

process.on('message', (messages: readonly ToRunner[]) => messages.forEach(obey));

function obey(message: ToRunner): void {
  switch (message.type) {
    case 'run': {
      const { runId } = message.order;
      const controller = new AbortController();
      running.set(runId, controller);
      garbage.begin();
      void executeOrder(message.order, world, controller.signal).finally(() => {
        running.delete(runId);
        garbage.end();
      });
      break;
    }
    case 'cancel':
      running.get(message.runId)?.abort(message.reason);
      break;
    case 'keep':
      void workersRoom.keepAtMost(message.atMost);
      break;
  }
}

workersRoom.onFewer = (kept) => send({ type: 'kept', kept });

// Its parent is gone. A runaway isolate would keep process.exit() from ever ending.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

send({ type: 'ready', version: process.versions.node });
