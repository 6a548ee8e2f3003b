import { describe, expect, it } from 'vitest';
import type { FromRunner, StartedTask } from '../../src/runner/messages.ts';
import { Reporter } from '../../src/runner/reporter.ts';
import { okTask } from '../support/fixtures.ts';

describe('the reporter', () => {
  it('sends the first news at once, so that a start is known before a task blocks', () => {
    const { reporter, sent } = reporting(() => 0);
    reporter.started(startedTask(0));
    expect(sent).toHaveLength(1);
  });

  it('sends what comes in one turn of the event loop as one message', async () => {
    const { reporter, sent } = reporting(() => 0);
    for (let index = 0; index < 100; index += 1) reporter.started(startedTask(index));
    expect(sent).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toHaveLength(2);
    expect(startedIn(sent)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('sends a start at once that would wait behind a blocked loop, with the end before it', () => {
    let now = 0;
    const { reporter, sent } = reporting(() => now);
    reporter.started(startedTask(0));
    now = 5e6;
    reporter.ended(okTask(0));
    now = 10e6;
    reporter.started(startedTask(1));
    now = 10e6 + 1;
    reporter.ended(okTask(1));
    expect(sent).toMatchObject([
      { started: [{ index: 0 }], ended: [] },
      { started: [{ index: 1 }], ended: [{ index: 0 }] },
    ]);
  });

  it('sends nothing when there is no news', () => {
    const { reporter, sent } = reporting(() => 0);
    reporter.flush();
    expect(sent).toEqual([]);
  });
});

function reporting(clock: () => number): { reporter: Reporter; sent: FromRunner[] } {
  const sent: FromRunner[] = [];
  return { reporter: new Reporter('run', clock, (message) => sent.push(message)), sent };
}

function startedTask(index: number): StartedTask {
  return { index, queuedAtNs: 0, admittedAtNs: 0, startedAtNs: 0, pid: 1, threadId: 0 };
}

function startedIn(messages: readonly FromRunner[]): number[] {
  return messages.flatMap((message) =>
    message.type === 'tasks' ? message.started.map(({ index }) => index) : [],
  );
}
