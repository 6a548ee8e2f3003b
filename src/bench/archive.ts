import { promisify } from 'node:util';
import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import { nsToMs, roundedMs } from '../record/clock.ts';
import type { RunRecord } from '../record/record.ts';

/** A kept run, without its tasks. */
export interface RunSummary {
  readonly id: string;
  readonly workload: string;
  readonly strategy: string;
  readonly tasks: number;
  readonly outcome: RunRecord['outcome'];
  readonly durationMs: number;
  /** Unix time, ISO 8601. */
  readonly startedAt: string;
  readonly traceId: string;
}

interface Kept {
  readonly summary: RunSummary;
  /** JSON. */
  readonly record: Buffer;
  readonly compressed: boolean;
  /** Of what all may take together; 0 while it is not known how much that is. */
  readonly countedBytes: number;
}

/** What all kept runs may take together: a hundred runs of ten thousand tasks fit. */
const maxBytes = 64 * 1024 * 1024;

/** A shorter one is kept as it is: to compress it cost a tenth of all that the service does for a small run. */
const worthCompressing = 16 * 1024;

/**
 * The last runs. Each is kept as one buffer of JSON, compressed when it is long, so that a hundred runs of ten thousand tasks stay off
 * the heap, cost the garbage collector nothing, and take a tenth of the room.
 */
export class RunArchive {
  readonly #maxRuns: number;
  readonly #maxBytes: number;
  #bytes = 0;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(maxRuns: number, bytes = maxBytes) {
    this.#maxRuns = maxRuns;
    this.#maxBytes = bytes;
  }

  /** It is there at once; resolves when it takes the room that it will take: a long one is compressed on another thread. */
  async add(record: RunRecord): Promise<void> {
    const json = Buffer.from(JSON.stringify(record));
    const kept = { summary: summaryOf(record), record: json, compressed: false, countedBytes: 0 };
    this.#kept.set(record.id, kept);
    const long = json.byteLength >= worthCompressing;
    const bytes = long ? await compress(json) : json;
    // Others came meanwhile, and it may have had to make room for them.
    if (this.#kept.get(record.id) !== kept) return;
    const { byteLength: countedBytes } = bytes;
    this.#kept.set(record.id, { ...kept, record: bytes, compressed: long, countedBytes });
    this.#bytes += countedBytes;
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [id, { countedBytes }] of this.#kept) {
      if (this.#kept.size <= this.#maxRuns && this.#bytes <= this.#maxBytes) break;
      this.#kept.delete(id);
      this.#bytes -= countedBytes;
    }
  }

  /** Newest first. */
  list(): readonly RunSummary[] {
    return [...this.#kept.values()].map(({ summary }) => summary).toReversed();
  }

  /** `null`: never there, or no longer kept. */
  get(id: string): RunRecord | null {
    const kept = this.#kept.get(id);
    if (kept === undefined) return null;
    // Written by `add`.
    const json = kept.compressed ? zstdDecompressSync(kept.record) : kept.record;
    const record: RunRecord = JSON.parse(json.toString());
    return record;
  }
}

const compress = promisify(zstdCompress);

function summaryOf({ id, plan, outcome, startedAtNs, endedAtNs, clock, trace }: RunRecord): RunSummary {
  const startedAtMs = Number((BigInt(clock.epochOriginNs) + BigInt(startedAtNs)) / 1_000_000n);
  return {
    id,
    workload: plan.workload,
    strategy: plan.strategy,
    tasks: plan.tasks,
    outcome,
    durationMs: roundedMs(nsToMs(endedAtNs - startedAtNs)),
    startedAt: new Date(startedAtMs).toISOString(),
    traceId: trace.traceId,
  };
}
