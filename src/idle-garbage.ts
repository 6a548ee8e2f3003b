import type { Server } from 'node:http';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Longer than between two runs that somebody asks for one after another: V8 then forgets what it compiled for them. */
const idleMs = 10_000;
/** What is not worth a collection: a readiness probe takes less. */
const littleBytes = 8 * 2 ** 20;

/**
 * Collects garbage when this process has had nothing to do for a while. V8 does it only to make room for more, so that
 * a process that did much and then nothing keeps the bodies it read and the room it read them into.
 */
export class IdleGarbage {
  readonly #collect: () => void;
  readonly #allocated: () => number;
  readonly #timer: NodeJS.Timeout;
  #busy = 0;
  #allocatedThen: number;

  /** @param allocated how much memory this process took so far, given back or not, in bytes */
  constructor(collect: () => void = collector(), allocated: () => number = allocatedBytes) {
    this.#collect = collect;
    this.#allocated = allocated;
    this.#allocatedThen = allocated();
    this.#timer = setTimeout(() => this.#tidy(), idleMs).unref();
  }

  /** Something begins. */
  begin(): void {
    this.#busy += 1;
  }

  /** What began has ended. */
  end(): void {
    this.#busy -= 1;
    if (this.#busy === 0) this.#timer.refresh();
  }

  #tidy(): void {
    if (this.#busy > 0 || this.#allocated() - this.#allocatedThen < littleBytes) return;
    this.#collect();
    this.#allocatedThen = this.#allocated();
  }
}

/** The same for a server: it is busy while it answers. */
export function collectWhenIdle(server: Server): void {
  const garbage = new IdleGarbage();
  server.on('request', (_, response) => {
    garbage.begin();
    response.once('close', () => garbage.end());
  });
}

/**
 * Whether there is garbage can't be told by how much is used: V8 may have collected it and kept the room. Of V8 itself:
 * `process.memoryUsage()` opens a file, which fails where too many are open. Node 24 and older know what is used alone.
 */
function allocatedBytes(): number {
  const { used_heap_size: used, external_memory: external, ...others } = getHeapStatistics();
  const allocated = 'total_allocated_bytes' in others ? others.total_allocated_bytes : used;
  return allocated + external;
}

/**
 * V8's own `gc()`, which only contexts have that are made when it is exposed. As its last resort V8 gives what it emptied
 * back to the system at once: else some time later, or never.
 */
export function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: (options: object) => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
