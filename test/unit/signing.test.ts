import { describe, expect, it } from 'vitest';
import { signInputs } from '../../src/execution/signing.ts';
import type { Signing } from '../../src/workloads/inputs.ts';

/** What happened to the clients that signed, in order. */
function watched() {
  const events: string[] = [];
  let made = 0;
  const signing: Signing = {
    open() {
      const name = `client ${(made += 1)}`;
      events.push(`${name} is made`);
      return { close: () => void events.push(`${name} is closed`) };
    },
    async sign() {
      events.push('it signs');
      return ['signed'];
    },
  };
  return { events, signing };
}

describe('what signs', () => {
  it('is made for a cold run and closed after it', async () => {
    const { events, signing } = watched();
    expect(await signInputs(signing, 'cold', 'a')).toEqual(['signed']);
    await signInputs(signing, 'cold', 'a');
    expect(events).toEqual([
      'client 1 is made',
      'it signs',
      'client 1 is closed',
      'client 2 is made',
      'it signs',
      'client 2 is closed',
    ]);
  });

  it('is kept from warm run to warm run of equal settings', async () => {
    const { events, signing } = watched();
    for (const region of ['here', 'here', 'there', 'here'])
      await signInputs(signing, 'warm', 'b', { region });
    expect(events).toEqual([
      'client 1 is made',
      'it signs',
      'it signs',
      'client 2 is made',
      'it signs',
      'it signs',
    ]);
  });

  it('is not that of a warm run when the run is cold', async () => {
    const { events, signing } = watched();
    await signInputs(signing, 'warm', 'c');
    await signInputs(signing, 'cold', 'c');
    await signInputs(signing, 'warm', 'c');
    expect(events.filter((event) => event !== 'it signs')).toEqual([
      'client 1 is made',
      'client 2 is made',
      'client 2 is closed',
    ]);
  });

  it('is used by one run at a time', async () => {
    const { events, signing } = watched();
    await Promise.all([0, 1].map(() => signInputs(signing, 'warm', 'd')));
    expect(events.filter((event) => event.endsWith('made'))).toHaveLength(2);
  });

  it('is laid down also where signing fails, which is told', async () => {
    const { events, signing } = watched();
    const failing: Signing = { ...signing, sign: () => Promise.reject(new Error('no credentials')) };
    await expect(signInputs(failing, 'cold', 'e')).rejects.toThrow('no credentials');
    expect(events).toEqual(['client 1 is made', 'client 1 is closed']);
  });
});
