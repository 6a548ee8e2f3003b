import { EventStreamCodec } from '@smithy/core/event-streams';
import { describe, expect, it } from 'vitest';
import { eventFrame } from '../../src/emulator/event-stream.ts';
import { MalformedStream, readEvents } from '../../src/execution/event-stream.ts';

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (text) => new TextEncoder().encode(text),
);
const payloads = [{ role: 'assistant' }, { delta: { text: 'ä 漢字 🙂' } }, { stopReason: 'end_turn' }];
const types = ['messageStart', 'contentBlockDelta', 'messageStop'];
const whole = Buffer.concat(payloads.map((payload, index) => eventFrame(types[index] ?? '', payload)));

describe('an event stream', () => {
  it('is the same events, wherever its chunks are split', async () => {
    for (let split = 0; split <= whole.byteLength; split += 1) {
      const { events, bytes } = await read([whole.subarray(0, split), whole.subarray(split)]);
      expect(events.map(({ kind, type, data }) => [kind, type, JSON.parse(data)])).toEqual(
        payloads.map((payload, index) => ['event', types[index], payload]),
      );
      expect(bytes).toBe(whole.byteLength);
    }
  });

  it('tells when each event was there, counted from the request', async () => {
    const { events } = await read([whole]);
    const times = events.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(0);
  });

  it('unwraps what InvokeModel wraps', async () => {
    const inner = { type: 'message_start', message: { usage: { input_tokens: 3 } } };
    const frame = eventFrame('chunk', { bytes: Buffer.from(JSON.stringify(inner)).toString('base64') });
    const { events } = await read([frame]);
    expect(JSON.parse(events[0]?.data ?? '')).toEqual(inner);
  });

  it.each([8, 30, 200])('with byte %i changed is malformed', async (position) => {
    const broken = whole.with(position, (whole[position] ?? 0) ^ 1);
    await expect(read([broken])).rejects.toThrow(MalformedStream);
  });

  it('that can not be decoded is ended, not left open', async () => {
    const broken = whole.with(30, (whole[30] ?? 0) ^ 1);
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield broken;
      } finally {
        ended = true;
      }
    }
    await expect(readEvents(endless(), performance.now())).rejects.toThrow(MalformedStream);
    expect(ended).toBe(true);
  });

  it('that ends within an event is malformed', async () => {
    await expect(read([whole.subarray(0, -1)])).rejects.toThrow(MalformedStream);
  });

  it('whose events are no JSON is malformed, and not quoted', async () => {
    const wrapped = eventFrame('chunk', { bytes: Buffer.from('an answer').toString('base64') });
    const bare = Buffer.from(eventFrame('contentBlockDelta', 'answer'));
    const rewritten = codec.encode({ ...codec.decode(bare), body: new TextEncoder().encode('an answer') });
    for (const frame of [wrapped, rewritten]) {
      await expect(read([frame])).rejects.toThrow(/^an event is not JSON$/);
      await expect(read([frame])).rejects.toThrow(MalformedStream);
    }
  });

  it('that breaks off says why in its own words', async () => {
    await expect(readEvents(breaking(), performance.now())).rejects.toThrow(/^aborted$/);
  });

  it('may be empty', async () => {
    expect(await read([])).toEqual({ events: [], bytes: 0 });
  });
});

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield whole;
  throw new Error('aborted');
}

async function read(chunks: readonly Uint8Array[]) {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return readEvents(source(), performance.now());
}
