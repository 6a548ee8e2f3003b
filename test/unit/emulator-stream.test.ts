import { EventStreamCodec } from '@smithy/core/event-streams';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { converse } from '../../src/emulator/bedrock-converse.ts';
import { invoke } from '../../src/emulator/bedrock-invoke.ts';
import { scheduleOf } from '../../src/emulator/bedrock-schedule.ts';
import { planStream } from '../../src/emulator/delivery.ts';
import { play } from '../../src/emulator/pacing.ts';
import { replyTo } from '../../src/emulator/reply.ts';

const reply = replyTo({ system: '', turns: [{ role: 'user', text: 'Why?' }], maxTokens: 20 }, 'asked');
const schedule = scheduleOf(reply, { firstTokenMs: 300, perTokenMs: 5 });
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (text) => new TextEncoder().encode(text),
);

describe('the plan of a stream', () => {
  it.each([converse, invoke])(
    'has its first token when its head is sent, each other one a step later, and its end when the whole answer would come: $operation',
    (form) => {
      const { frames, totalMs } = form.stream(reply, schedule, 'anthropic.claude-x-v1:0');
      const instants = frames.map(({ atMs }) => atMs);
      expect(totalMs).toBe(300 + 20 * 5);
      expect(instants).toEqual(instants.toSorted((a, b) => a - b));
      expect([instants[0], instants.at(-1)]).toEqual([300, totalMs]);
      const tokens = frames.filter(
        ({ bytes }) => /delta/i.test(Buffer.from(bytes).toString()) || isTextChunk(bytes),
      );
      expect(tokens.map(({ atMs }) => atMs).slice(0, 20)).toEqual(
        Array.from({ length: 20 }, (_, index) => 300 + 5 * index),
      );
    },
  );

  it('counts the whole answer in its last event', () => {
    const last = codec.decode(converse.stream(reply, schedule, 'm').frames.at(-1)?.bytes ?? new Uint8Array());
    expect(last.headers[':event-type']).toEqual({ type: 'string', value: 'metadata' });
    expect(JSON.parse(Buffer.from(last.body).toString())).toMatchObject({
      usage: { outputTokens: 20 },
      metrics: { latencyMs: 400 },
    });
  });
});

describe('a stream with a fault', () => {
  const stream = converse.stream(reply, schedule, 'm');
  const half = stream.frames.length >> 1;
  const bytesOf = (frames: typeof stream.frames): Uint8Array[] => frames.map(({ bytes }) => bytes);

  it.each([null, 'slow', 'nonsense', 'empty', 'error'] as const)('goes as planned with %s', (fault) => {
    expect(planStream(stream, fault)).toEqual({ frames: stream.frames, ending: 'complete' });
  });

  it.each([
    ['stall', 'stall'],
    ['reset', 'cut'],
  ] as const)('%s: comes to its half', (fault, ending) => {
    expect(planStream(stream, fault)).toEqual({ frames: stream.frames.slice(0, half), ending });
  });

  it('truncate: ends in the middle of the frame after its half', () => {
    const { frames, ending } = planStream(stream, 'truncate');
    expect(ending).toBe('cut');
    expect(frames).toHaveLength(half + 1);
    expect(bytesOf(frames).slice(0, half)).toEqual(bytesOf(stream.frames).slice(0, half));
    expect(() => codec.decode(frames.at(-1)?.bytes ?? new Uint8Array())).toThrow(/message/i);
  });

  it.each(['malformed', 'corrupt'] as const)('%s: has one frame whose checksum is wrong', (fault) => {
    const { frames, ending } = planStream(stream, fault);
    expect(ending).toBe('complete');
    const wrong = bytesOf(frames).flatMap((bytes, index) => (decodes(bytes) ? [] : index));
    expect(wrong).toEqual([half]);
  });
});

describe('frames in time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const frames = [10, 10, 20, 25.5, 40].map((atMs) => ({ atMs, bytes: Uint8Array.of(atMs) }));

  it('are written when they are due, never before, and slow writes do not add up', async () => {
    const startMs = performance.now();
    const writtenMs: number[] = [];
    const played = play(frames, startMs, () => {
      writtenMs.push(performance.now() - startMs);
      // A write that takes a while.
      vi.advanceTimersByTime(4);
      return true;
    });
    await vi.runAllTimersAsync();
    expect(await played).toBe(true);
    for (const [index, { atMs }] of frames.entries()) {
      expect(writtenMs[index]).toBeGreaterThanOrEqual(atMs);
      expect(writtenMs[index]).toBeLessThanOrEqual(atMs + 5);
    }
    expect(writtenMs.at(-1)).toBe(40);
  });

  it('that are due already are written at once', async () => {
    const write = vi.fn<() => boolean>(() => true);
    expect(await play(frames, performance.now() - 100, write)).toBe(true);
    expect(write).toHaveBeenCalledTimes(frames.length);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('end when nobody listens any more', async () => {
    let listens = 3;
    const write = vi.fn<() => boolean>(() => (listens -= 1) > 0);
    const played = play(frames, performance.now(), write);
    await vi.runAllTimersAsync();
    expect(await played).toBe(false);
    expect(write).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

function isTextChunk(bytes: Uint8Array): boolean {
  const body: unknown = JSON.parse(Buffer.from(codec.decode(bytes).body).toString());
  if (typeof body !== 'object' || body === null || !('bytes' in body)) return false;
  return Buffer.from(String(body.bytes), 'base64').toString().includes('text_delta');
}

function decodes(bytes: Uint8Array): boolean {
  try {
    codec.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
