import { describe, expect, it } from 'vitest';
import { growthOf } from '../support/trend.ts';

describe('growthOf', () => {
  it('tells by how much a series went up, and is not led astray by a few points', () => {
    expect(growthOf([100, 100, 100, 100])).toBe(0);
    expect(growthOf([100, 105, 110, 115, 120])).toBeCloseTo(20 / 110);
    expect(growthOf([100, 105, 900, 115, 120])).toBeCloseTo(20 / 115);
    expect(growthOf([120, 110, 100])).toBeCloseTo(-20 / 110);
    expect(growthOf([100, 130, 100, 130, 100, 130, 100])).toBe(0);
  });
});
