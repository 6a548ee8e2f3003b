import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromRunner, StartedTask } from '../../src/runner/messages.ts';
import { unknownLoad } from '../../src/record/record.ts';
import { Reporter } from '../../src/runner/reporter.ts';
import { okTask } from '../support/fixtures.ts';

describe('the reporter', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sends a start at once where tasks block, so that it is known before the first one does', () => {
    const { reporter, sent } = reporting({ blocking: true });
    reporter.started(startedTask(0));
    expect(sent).toHaveLength(1);
  });

  it('sends what comes within 5 ms as one message', () => {
    const { reporter, sent } = reporting({ blocking: false });
    for (let index = 0; index < 100; index += 1) reporter.started(startedTask(index));
    expect(sent).toHaveLength(0);
    vi.advanceTimersByTime(5);
    expect(sent).toHaveLength(1);
    expect(startedIn(sent)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('sends the start, the tasks and the end of a short run as one message', () => {
    const { reporter, sent } = reporting({ blocking: false });
    reporter.begun({ startedAtNs: 1, signing: null, fanOutStartedAtNs: 1, warnings: [], bridged: false });
    reporter.started(startedTask(0));
    reporter.ended(okTask(0));
    reporter.finished({ endedAtNs: 9, load: unknownLoad, kept: 0 });
    vi.runAllTimers();
    expect(sent).toMatchObject([
      {
        runId: 'run',
        begun: { startedAtNs: 1 },
        started: [{ index: 0 }],
        ended: [{ index: 0 }],
        finished: { endedAtNs: 9 },
      },
    ]);
  });

  it('sends a start at once that would wait behind a blocked loop, with the end before it', () => {
    let now = 0;
    const { reporter, sent } = reporting({ blocking: true, clock: () => now });
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
    const { reporter, sent } = reporting({ blocking: false });
    reporter.flush();
    expect(sent).toEqual([]);
  });
});

function reporting({ blocking, clock = () => 0 }: { blocking: boolean; clock?: () => number }): {
  reporter: Reporter;
  sent: FromRunner[];
} {
  const sent: FromRunner[] = [];
  const send = (message: FromRunner): void => void sent.push(message);
  return { reporter: new Reporter({ runId: 'run', clock, blocking, send }), sent };
}

function startedTask(index: number): StartedTask {
  return { index, queuedAtNs: 0, admittedAtNs: 0, startedAtNs: 0, pid: 1, threadId: 0 };
}

function startedIn(messages: readonly FromRunner[]): number[] {
  return messages.flatMap((message) =>
    message.type === 'news' ? message.started.map(({ index }) => index) : [],
  );
}
