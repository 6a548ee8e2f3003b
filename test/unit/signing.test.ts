import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signInputs } from '../../src/execution/signing.ts';
import { signingOf, type Signing } from '../../src/workloads/inputs.ts';

const { signal: never } = new AbortController();

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
    expect(await signInputs(signing, 'cold', never, 'a')).toEqual(['signed']);
    await signInputs(signing, 'cold', never, 'a');
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
      await signInputs(signing, 'warm', never, 'b', { region });
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
    await signInputs(signing, 'warm', never, 'c');
    await signInputs(signing, 'cold', never, 'c');
    await signInputs(signing, 'warm', never, 'c');
    expect(events.filter((event) => event !== 'it signs')).toEqual([
      'client 1 is made',
      'client 2 is made',
      'client 2 is closed',
    ]);
  });

  it('is used by one run at a time', async () => {
    const { events, signing } = watched();
    await Promise.all([0, 1].map(() => signInputs(signing, 'warm', never, 'd')));
    expect(events.filter((event) => event.endsWith('made'))).toHaveLength(2);
  });

  it('is laid down also where signing fails, which is told', async () => {
    const { events, signing } = watched();
    const failing: Signing = { ...signing, sign: () => Promise.reject(new Error('no credentials')) };
    await expect(signInputs(failing, 'cold', never, 'e')).rejects.toThrow('no credentials');
    expect(events).toEqual(['client 1 is made', 'client 1 is closed']);
  });
});

describe('signing many calls', () => {
  const calls = Array.from({ length: 250 }, (_, index) => index);
  let turns: number;
  let signed: number[];
  let turn: NodeJS.Immediate;
  const countTurns = (): void => {
    turns += 1;
    turn = setImmediate(countTurns);
  };
  const signing = signingOf(
    () => ({
      async sign(call: number) {
        signed.push(call);
        return { method: 'GET' as const, url: String(call), headers: {}, body: null };
      },
      close() {},
    }),
    calls,
    ({ url }, index) => `${url} of ${index}`,
  );
  beforeEach(() => {
    turns = 0;
    signed = [];
    countTurns();
  });
  afterEach(() => clearImmediate(turn));

  it('gives other work its turn after each hundred', async () => {
    const before = turns;
    const inputs = await signInputs(signing, 'cold', never);
    expect(inputs).toEqual(calls.map((call) => `${call} of ${call}`));
    expect(turns - before).toBeGreaterThanOrEqual(2);
  });

  it('ends with the first hundred after which nobody wants them', async () => {
    const leaving = new AbortController();
    const inputs = signInputs(signing, 'cold', leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(inputs).rejects.toThrow('gone');
    expect(signed).toHaveLength(100);
  });
});
