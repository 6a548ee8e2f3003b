import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinRefusal, poolRefusal } from '../../src/bench/combinations.ts';
import type { Jaeger } from '../support/real-servers.ts';
import type { RunningService } from '../support/service.ts';
import { startServiceWithJaeger } from '../support/traced-service.ts';
import { cells, type Cell } from './matrix.ts';
import { endUs, pictureOf, type Picture, type RunBody } from './picture.ts';

/** Pools and joins of the whole matrix, as a real Jaeger shows them. */
let service: RunningService;
let jaeger: Jaeger;
let stop: () => Promise<void>;
beforeAll(async () => {
  ({ service, jaeger, stop } = await startServiceWithJaeger({ EMULATOR_LATENCY_MS: '5' }));
});
afterAll(() => stop());

/** Jaeger cuts starts and lengths down to whole microseconds. */
const roundingUs = 1;
const can = (join: 'race' | 'first-valid' | 'hedged') => (cell: Cell) =>
  joinRefusal(cell.workload, cell.strategy.declaration, join) === null;
const canBeWarm = ({ workload, strategy }: Cell): boolean =>
  poolRefusal(workload, strategy.declaration, 'warm') === null;

async function draw(path: string): Promise<{ readonly body: RunBody; readonly picture: Picture }> {
  const body = await service.run(path);
  return { body, picture: await pictureOf(jaeger, body) };
}

function expectInside({ run, tasks }: Picture): void {
  for (const task of tasks) {
    expect(task.startUs).toBeGreaterThanOrEqual(run.startUs - roundingUs);
    expect(endUs(task)).toBeLessThanOrEqual(endUs(run) + roundingUs);
  }
}

describe.each(['race', 'first-valid'] as const)('join=%s', (join) => {
  it.each(cells.filter(can(join)))(
    '$title: a bar for each task, those that were stopped say so',
    async ({ path }) => {
      const { body, picture } = await draw(`${path}&join=${join}&tasks=3`);
      expect(picture.run.tags['bench.join']).toBe(join);
      expect(picture.tasks.map(({ tags }) => tags['bench.task.state'])).toEqual(
        body.tasks.map(({ state }) => state),
      );
      expect(body.tasks.filter(({ state }) => state === 'ok').length).toBeGreaterThan(0);
      for (const [index, { startMs }] of body.tasks.entries()) {
        const started = picture.tasks[index]?.tags['bench.task.started'] ?? true;
        expect(started).toBe(startMs !== null);
      }
      expectInside(picture);
    },
  );
});

describe('join=hedged', () => {
  it.each(cells.filter(can('hedged')))('$title: a bar for each task that was begun', async ({ path }) => {
    const { body, picture } = await draw(`${path}&join=hedged&hedgeAfterMs=20000&tasks=3`);
    expect([body.callsSpent, picture.tasks.length]).toEqual([1, 1]);
    expectInside(picture);
  });
});

describe('pool=warm', () => {
  it.each(cells.filter(canBeWarm))(
    '$title: the bars of the second run say that all was there',
    async ({ path }) => {
      const warm = `${path}&pool=warm&tasks=2`;
      await service.run(warm);
      const { picture } = await draw(warm);
      expect(picture.run.tags['bench.pool']).toBe('warm');
      expect(picture.tasks.map(({ tags }) => tags['bench.task.reused'])).toEqual([true, true]);
      expectInside(picture);
    },
  );
});
