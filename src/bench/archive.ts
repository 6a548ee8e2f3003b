import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
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

  add(record: RunRecord): void {
    const json = Buffer.from(JSON.stringify(record));
    const compressed = json.byteLength >= worthCompressing;
    const kept = {
      summary: summaryOf(record),
      record: compressed ? zstdCompressSync(json) : json,
      compressed,
    };
    this.#kept.set(record.id, kept);
    this.#bytes += kept.record.byteLength;
    for (const [id, { record: oldest }] of this.#kept) {
      if (this.#kept.size <= this.#maxRuns && this.#bytes <= this.#maxBytes) break;
      this.#kept.delete(id);
      this.#bytes -= oldest.byteLength;
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
