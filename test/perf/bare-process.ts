import { task } from '../../src/workloads/fib.ts';

/** One of {@link ./bare-processes.ts}: computes `fib` of its argument five times whenever it is told to. */

const n = Number(process.argv[2]);

process.on('message', () => {
  for (let done = 0; done < 5; done += 1) task.run({ n });
  process.send?.('done');
});
process.send?.('ready');
