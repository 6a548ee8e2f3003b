import type { Probed } from './runtimes.ts';

/** Tells the service who this runtime is and what it can do: the whole of a process that every start runs once. */
process.stdout.write(
  JSON.stringify({
    version: process.versions.node,
    hrtimeNs: String(process.hrtime.bigint()),
    noIsolates: await whyNoIsolates(),
  } satisfies Probed),
);

/** Its native part is there for some versions of Node only, which no list of ours could keep up with. */
async function whyNoIsolates(): Promise<string | null> {
  try {
    const { default: ivm } = await import('isolated-vm');
    const isolate = new ivm.Isolate();
    isolate.createContextSync().evalSync('1');
    isolate.dispose();
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.split('\n', 1)[0] ?? message;
  }
}
