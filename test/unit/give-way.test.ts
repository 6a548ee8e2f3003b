import { beforeEach, expect, it, vi } from 'vitest';
import { giveWay } from '../../src/runner/give-way.ts';

const { writeFile, setPriority } = vi.hoisted(() => ({
  writeFile: vi.fn<(path: string, text: string) => Promise<void>>(),
  setPriority: vi.fn<(pid: number, priority: number) => void>(),
}));
vi.mock('node:fs/promises', () => ({ writeFile }));
vi.mock('node:os', () => ({ getPriority: () => inherited, setPriority }));

let inherited = 0;
beforeEach(() => {
  inherited = 0;
  writeFile.mockReset().mockResolvedValue();
  setPriority.mockReset();
});

it('lowers the priority of the process and of its session', async () => {
  await giveWay(7);
  expect(setPriority.mock.calls).toEqual([[7, 10]]);
  expect(writeFile.mock.calls).toEqual([['/proc/7/autogroup', '10', { flag: 'r+' }]]);
});

it('lowers it from what it is, as far as there is anything lower', async () => {
  for (inherited of [-5, 4, 15]) await giveWay(7);
  expect(setPriority.mock.calls.map(([, priority]) => priority)).toEqual([5, 14, 19]);
});

it('asks again for the session while the system lets others be set', async () => {
  for (let time = 0; time < 2; time += 1) writeFile.mockRejectedValueOnce(systemError('EAGAIN'));
  await giveWay(7);
  expect(writeFile).toHaveBeenCalledTimes(3);
});

it.each(['ENOENT', 'EACCES'])('leaves it at that where the session has no priority: %s', async (code) => {
  writeFile.mockRejectedValue(systemError(code));
  await giveWay(7);
  expect(writeFile).toHaveBeenCalledTimes(1);
});

it('is content with a process that is gone', async () => {
  setPriority.mockImplementation(() => {
    throw systemError('ERR_SYSTEM_ERROR');
  });
  await expect(giveWay(7)).resolves.toBeUndefined();
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
