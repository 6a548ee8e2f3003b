import { describe, expect, it, vi } from 'vitest';
import { errorCodeOf, isTransient } from '../../src/aws/transient.ts';
import { backoffMs, retrying } from '../../src/execution/retry.ts';

const never = new AbortController().signal;

describe('trying again', () => {
  it('ends with the first result that is not worth another try', async () => {
    const act = vi.fn<() => Promise<number>>().mockResolvedValueOnce(1).mockResolvedValueOnce(2);
    expect(await retrying(5, never, act, (result) => result === 1)).toBe(2);
    expect(act).toHaveBeenCalledTimes(2);
  });

  it('ends with the last of its attempts', async () => {
    const act = vi.fn<() => Promise<string>>(async () => 'bad');
    expect(await retrying(3, never, act, () => true)).toBe('bad');
    expect(act).toHaveBeenCalledTimes(3);
  });

  it('ends while it waits when nobody wants it any more', async () => {
    const controller = new AbortController();
    const act = vi.fn<() => Promise<string>>(async () => {
      queueMicrotask(() => controller.abort());
      return 'bad';
    });
    expect(await retrying(5, controller.signal, act, () => true)).toBe('bad');
    expect(act).toHaveBeenCalledTimes(1);
  });

  it('waits with full jitter under a limit that doubles from 100 ms to 20 s', () => {
    const most = [2, 3, 4, 5, 20].map((attempt) => backoffMs(attempt, () => 1));
    expect(most).toEqual([100, 200, 400, 800, 20_000]);
    expect(backoffMs(4, () => 0)).toBe(0);
  });
});

describe('what is worth another try', () => {
  it.each([
    [500, 'InternalError', true],
    [503, 'SlowDown', true],
    [429, 'ThrottlingException', true],
    [400, 'Throttling', true],
    [400, 'ValidationException', false],
    [403, 'SignatureDoesNotMatch', false],
    [404, 'NoSuchKey', false],
  ])('%i %s: %s', (status, code, worth) => {
    expect(isTransient(status, code)).toBe(worth);
  });

  it('is read from XML and from the header of the JSON protocols', () => {
    expect(errorCodeOf({}, '<Error><Code>SlowDown</Code></Error>')).toBe('SlowDown');
    expect(errorCodeOf({ 'x-amzn-errortype': 'ThrottlingException:http://x' }, '{}')).toBe(
      'ThrottlingException',
    );
    expect(errorCodeOf({}, 'oops')).toBeNull();
  });

  it.each([
    ['longer than any', 'A'.repeat(61)],
    ['a signature', 'c0ffee00'.repeat(8)],
    ['words', "with token 'abc'"],
    ['nothing', ''],
  ])('is not told where it is no code but %s', (_, said) => {
    expect(errorCodeOf({}, `<Code>${said}</Code>`)).toBeNull();
    expect(errorCodeOf({ 'x-amzn-errortype': said }, null)).toBeNull();
  });
});
