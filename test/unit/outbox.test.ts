import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../../src/runner/outbox.ts';

describe('the outbox', () => {
  let sent: (readonly string[])[];
  let outbox: Outbox<string>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] });
    sent = [];
    outbox = new Outbox((messages) => void sent.push(messages));
  });
  afterEach(() => void vi.useRealTimers());

  it('sends what is said in one turn as one message, in its order', () => {
    outbox.post('one');
    outbox.post('two');
    expect(sent).toEqual([]);
    vi.runAllTimers();
    expect(sent).toEqual([['one', 'two']]);
  });

  it('sends what is said in the next turn by itself', () => {
    outbox.post('one');
    vi.runAllTimers();
    outbox.post('two');
    vi.runAllTimers();
    expect(sent).toEqual([['one'], ['two']]);
  });

  it('sends at once before the event loop is held, and nothing twice', () => {
    outbox.post('one');
    outbox.flush();
    expect(sent).toEqual([['one']]);
    outbox.post('two');
    vi.runAllTimers();
    expect(sent).toEqual([['one'], ['two']]);
  });

  it('sends no empty message', () => {
    outbox.flush();
    outbox.post('one');
    outbox.flush();
    vi.runAllTimers();
    expect(sent).toEqual([['one']]);
  });
});
