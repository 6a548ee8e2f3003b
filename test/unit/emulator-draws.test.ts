import { describe, expect, it } from 'vitest';
import { createFaultDraws } from '../../src/emulator/fault-draws.ts';
import { commonFaults, modelFaults, parseFaults } from '../../src/emulator/faults.ts';
import { drawTokenPace } from '../../src/emulator/latency.ts';

describe('the pace of a model', () => {
  const model = { latencyMs: 30, seed: 1 };

  it('is the same for the same seed, operation, key and attempt, and another for any other', () => {
    const pace = drawTokenPace(model, 'Converse', 'a', 1);
    expect(drawTokenPace(model, 'Converse', 'a', 1)).toEqual(pace);
    const others = [
      drawTokenPace({ ...model, seed: 2 }, 'Converse', 'a', 1),
      drawTokenPace(model, 'InvokeModel', 'a', 1),
      drawTokenPace(model, 'Converse', 'b', 1),
      drawTokenPace(model, 'Converse', 'a', 2),
    ];
    expect(new Set([pace, ...others].map(({ firstTokenMs }) => firstTokenMs)).size).toBe(5);
    expect(new Set([pace, ...others].map(({ perTokenMs }) => perTokenMs)).size).toBe(5);
  });

  const paces = Array.from({ length: 10_000 }, (_, index) => drawTokenPace(model, 'Converse', `${index}`, 1));

  it.each([
    ['to the first token', ({ firstTokenMs }: (typeof paces)[number]) => firstTokenMs, 300],
    ['a token', ({ perTokenMs }: (typeof paces)[number]) => perTokenMs, 5],
  ])('is a log-normal draw %s, with a sigma of 0.25', (_what, of, medianMs) => {
    const logs = paces.map((pace) => Math.log(of(pace) / medianMs)).toSorted((a, b) => a - b);
    const quantile = (q: number): number => logs[Math.floor(q * logs.length)] ?? NaN;
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    const sigma = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
    expect(quantile(0.5)).toBeCloseTo(0, 1.5);
    expect(sigma).toBeCloseTo(0.25, 2);
    // The quantiles of a normal distribution: some draws are slow, none is absurd.
    expect(quantile(0.95) / sigma).toBeCloseTo(1.645, 1);
    expect(quantile(0.05) / sigma).toBeCloseTo(-1.645, 1);
    expect(logs.at(-1)).toBeGreaterThan(Math.log(1.8));
    expect(logs.at(-1)).toBeLessThan(Math.log(4));
  });

  it('is drawn apart for the first token and the others', () => {
    const both = paces.filter(({ firstTokenMs, perTokenMs }) => firstTokenMs > 300 && perTokenMs > 5);
    expect(both.length / paces.length).toBeCloseTo(0.25, 1);
  });

  it('is nothing when the latency is set to 0', () => {
    expect(drawTokenPace({ latencyMs: 0, seed: 1 }, 'Converse', 'a', 1)).toEqual({
      firstTokenMs: 0,
      perTokenMs: 0,
    });
  });
});

describe('the grammar of faults', () => {
  it.each([
    ['slow@photos/*:5%', { kind: 'slow', pattern: 'photos/*', percent: 5, attempts: null }],
    ['error@photos/*#1', { kind: 'error', pattern: 'photos/*', percent: 100, attempts: 1 }],
    ['error@a#2:0.5%', { kind: 'error', pattern: 'a', percent: 0.5, attempts: 2 }],
    ['error@a:50%#2', { kind: 'error', pattern: 'a', percent: 50, attempts: 2 }],
    ['empty@Say: 5%, or so', { kind: 'empty', pattern: 'Say: 5%', percent: 100, attempts: null }],
    ['reset@a:b#c', { kind: 'reset', pattern: 'a:b#c', percent: 100, attempts: null }],
    ['stall@two\nlines', { kind: 'stall', pattern: 'two\nlines', percent: 100, attempts: null }],
  ])('%s', (text, fault) => {
    expect(parseFaults(text.replace(', or so', ''))).toEqual([fault]);
  });

  it.each(['error@a:0%', 'error@a:101%', 'error@a#0', 'Error@a', 'error@#1'])(
    '%s is refused with what is expected',
    (text) => {
      expect(() => parseFaults(text)).toThrow(`"${text}" is not kind@key or kind@prefix*`);
    },
  );
});

const kinds = [...commonFaults, ...modelFaults];

/** Which of 50 requests for five keys are hit: `x`. */
function sequence(seed: number, operation = 'GetObject'): string {
  const draw = createFaultDraws(parseFaults('reset@*:50%'), seed);
  return Array.from({ length: 50 }, (_, index) =>
    draw({ operation, key: `${index % 5}`, attempt: 1, kinds }) === null ? '.' : 'x',
  ).join('');
}

/** How many of a thousand requests each fault hits. */
function hits(text: string, { seed = 1, key = (index: number) => `photos/${index}` } = {}): number {
  const draw = createFaultDraws(parseFaults(text), seed);
  return Array.from({ length: 1_000 }, (_, index) =>
    draw({ operation: 'GetObject', key: key(index), attempt: 1, kinds }),
  ).filter((fault) => fault !== null).length;
}

describe('a fault with a percentage', () => {
  it('hits about so many keys, and about so many repeats of one key', () => {
    expect(hits('slow@photos/*:5%')).toBeGreaterThan(30);
    expect(hits('slow@photos/*:5%')).toBeLessThan(70);
    const repeats = hits('slow@photos/*:30%', { key: () => 'photos/0' });
    expect(repeats).toBeGreaterThan(250);
    expect(repeats).toBeLessThan(350);
    expect(hits('slow@photos/*:100%')).toBe(1_000);
    expect(hits('slow@other:5%')).toBe(0);
  });

  it('hits the same ones in the same order of asking, and others with another seed', () => {
    expect(sequence(1)).toBe(sequence(1));
    expect(new Set([sequence(1), sequence(2), sequence(1, 'HeadObject')]).size).toBe(3);
  });

  it('leaves the others to the next fault that fits', () => {
    const draw = createFaultDraws(parseFaults('reset@*:50%,slow@*'), 1);
    const drawn = Array.from({ length: 40 }, () => draw({ operation: 'a', key: 'b', attempt: 1, kinds }));
    expect(new Set(drawn)).toEqual(new Set(['reset', 'slow']));
  });
});

describe('a fault of the first attempts', () => {
  it('spares the later ones', () => {
    const draw = createFaultDraws(parseFaults('error@*#2'), 1);
    const at = (attempt: number) => draw({ operation: 'a', key: 'b', attempt, kinds: commonFaults });
    expect([1, 2, 3].map(at)).toEqual(['error', 'error', null]);
  });
});

describe('a fault of models', () => {
  it('means nothing to any other service', () => {
    const draw = createFaultDraws(parseFaults('nonsense@*,slow@*'), 1);
    const request = { operation: 'a', key: 'b', attempt: 1 };
    expect(draw({ ...request, kinds: commonFaults })).toBe('slow');
    expect(draw({ ...request, kinds })).toBe('nonsense');
  });
});
