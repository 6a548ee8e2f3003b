import { getHeapStatistics } from 'node:v8';
import { expect, it } from 'vitest';
import { isolateGlobal } from '../../src/execution/isolate-global.ts';
import { disposeIsolate, makeIsolate, runInThread } from '../../src/execution/isolate-run.ts';
import { collector } from '../../src/idle-garbage.ts';

const isolates = 200;
const source = `globalThis.${isolateGlobal} = { task: { run: (n) => ({ state: 'ok', value: n, bytes: null }) } };`;
const { signal } = new AbortController();

async function useOne(): Promise<void> {
  const ready = await makeIsolate(source, signal);
  const job = { input: 1, send: null, started: () => undefined, ended: () => undefined };
  expect(await runInThread(ready, job, signal)).toMatchObject({ state: 'ok', value: 1 });
  disposeIsolate(ready);
}

/** What V8's embedders hold on to, as isolated-vm does to the functions of its callbacks. */
async function handleBytes(): Promise<number> {
  const collect = collector();
  // What is told of a collection is let go of after it.
  for (let time = 0; time < 3; time += 1) {
    collect();
    await new Promise(setImmediate);
  }
  return getHeapStatistics().used_global_handles_size;
}

it('an isolate that is disposed leaves nothing behind in its host', async () => {
  await useOne();
  const before = await handleBytes();
  for (let made = 0; made < isolates; made += 1) await useOne();
  // A handle has 32 bytes: not even one of each isolate is left.
  expect((await handleBytes()) - before).toBeLessThan(isolates * 32);
});
