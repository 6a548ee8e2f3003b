import type { TokenPace } from './latency.ts';
import type { Reply } from './reply.ts';
import type { Frame, TimedStream } from './service.ts';

/** When the parts of an answer are due, from the request's arrival. */
export interface Schedule {
  readonly firstTokenMs: number;
  /** Of a token, by its index. */
  readonly tokenMs: (index: number) => number;
  /** Streamed or not, an answer is complete at the same instant. */
  readonly totalMs: number;
}

export function scheduleOf({ tokens }: Reply, { firstTokenMs, perTokenMs }: TokenPace): Schedule {
  return {
    firstTokenMs,
    tokenMs: (index) => firstTokenMs + index * perTokenMs,
    totalMs: firstTokenMs + tokens.length * perTokenMs,
  };
}

/** A stream: its opening with the first token, then a frame a token, and its closing with the whole. */
export function streamOf(
  { tokens }: Reply,
  { firstTokenMs, tokenMs, totalMs }: Schedule,
  parts: {
    readonly opening: readonly Uint8Array[];
    readonly token: (text: string) => Uint8Array;
    readonly closing: readonly Uint8Array[];
  },
): TimedStream {
  const frames: Frame[] = [
    ...parts.opening.map((bytes) => ({ atMs: firstTokenMs, bytes })),
    ...tokens.map((text, index) => ({ atMs: tokenMs(index), bytes: parts.token(text) })),
    ...parts.closing.map((bytes) => ({ atMs: totalMs, bytes })),
  ];
  return { frames, totalMs };
}
