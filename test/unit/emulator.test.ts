import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultFor, parseFaults } from '../../src/emulator/faults.ts';
import { drawLatencyMs } from '../../src/emulator/latency.ts';
import { makeObjects } from '../../src/emulator/objects.ts';
import { element } from '../../src/emulator/xml.ts';

describe('emulated latency', () => {
  const model = { latencyMs: 30, seed: 1 };

  it('is the same for the same seed, operation, key and attempt, and another for any other', () => {
    const draw = drawLatencyMs(model, 'GetObject', 'a', 1);
    expect(drawLatencyMs(model, 'GetObject', 'a', 1)).toBe(draw);
    const others = [
      drawLatencyMs({ ...model, seed: 2 }, 'GetObject', 'a', 1),
      drawLatencyMs(model, 'HeadObject', 'a', 1),
      drawLatencyMs(model, 'GetObject', 'b', 1),
      drawLatencyMs(model, 'GetObject', 'a', 2),
    ];
    expect(new Set([draw, ...others]).size).toBe(5);
  });

  it('spreads evenly within 20 % of the middle', () => {
    const draws = Array.from({ length: 2_000 }, (_, index) =>
      drawLatencyMs(model, 'GetObject', `key-${index}`, 1),
    );
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(24);
    expect(Math.max(...draws)).toBeLessThanOrEqual(36);
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(30, 0);
  });

  it('is nothing when it is set to 0', () => {
    expect(drawLatencyMs({ latencyMs: 0, seed: 1 }, 'GetObject', 'a', 1)).toBe(0);
  });
});

describe('emulated objects', () => {
  it('are ten of 300 kB, different from each other, like JPEG at both ends, with their MD5', () => {
    const objects = [...makeObjects().values()];
    expect(objects.map(({ key }) => key)).toEqual(
      Array.from({ length: 10 }, (_, index) => `photos/${index}.jpg`),
    );
    for (const { body, md5 } of objects) {
      expect(body.byteLength).toBe(300_000);
      expect([...body.subarray(0, 3), ...body.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xff, 0xd9]);
      expect(md5).toBe(createHash('md5').update(body).digest('hex'));
    }
    expect(new Set(objects.map(({ md5 }) => md5)).size).toBe(10);
  });

  it('are the same every time', () => {
    expect(makeObjects().get('photos/3.jpg')?.md5).toBe(makeObjects().get('photos/3.jpg')?.md5);
  });
});

describe('emulated faults', () => {
  it('go by key or by the beginning of keys, the first that fits', () => {
    const faults = parseFaults('reset@photos/1.jpg, truncate@photos/*');
    expect(faultFor(faults, 'photos/1.jpg')).toBe('reset');
    expect(faultFor(faults, 'photos/2.jpg')).toBe('truncate');
    expect(faultFor(faults, 'other')).toBeNull();
  });

  it.each(['explode@a', 'reset', 'reset@', '@a'])('%s is refused with what is expected', (text) => {
    expect(() => parseFaults(text)).toThrow(/kind@key/);
  });
});

describe('emulated XML', () => {
  it('escapes what a key may hold', () => {
    expect(element('Key', `<&">`)).toBe('<Key>&lt;&amp;&quot;&gt;</Key>');
  });
});
