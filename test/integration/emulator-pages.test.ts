import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmulatorUnderTest } from '../support/emulator.ts';

let emulator: EmulatorUnderTest;
beforeAll(async () => {
  emulator = await EmulatorUnderTest.start();
});
afterAll(() => emulator.close());

const paths = Array.from({ length: 10 }, (_, index) => `/pages/${index}`);

describe('the emulated pages', () => {
  it('are ten HTML documents of about 60 kB, each with its MD5 as its ETag', async () => {
    const bodies = await Promise.all(
      paths.map(async (path) => {
        const answer = await fetch(emulator.endpoint + path);
        const body = await answer.text();
        expect(answer.status).toBe(200);
        expect(answer.headers.get('content-type')).toBe('text/html');
        expect(answer.headers.get('etag')).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
        expect(answer.headers.get('server-timing')).toMatch(/^total;dur=\d+\.\d+$/);
        expect(body).toMatch(/^<!doctype html>[^]+<\/html>\n$/);
        expect(body.length).toBeGreaterThan(59_000);
        expect(body.length).toBeLessThan(63_000);
        return body;
      }),
    );
    expect(new Set(bodies).size).toBe(10);
  });

  it('are the same in every emulator', async () => {
    const other = await EmulatorUnderTest.start({ seed: 2 });
    try {
      const [one, two] = await Promise.all(
        [emulator, other].map(async ({ endpoint }) => (await fetch(`${endpoint}/pages/3`)).text()),
      );
      expect(one).toBe(two);
    } finally {
      other.close();
    }
  });

  it.each(['/pages/10', '/pages/', '/pages/00', '/pages/1/'])('are no others: %s', async (path) => {
    expect((await fetch(emulator.endpoint + path)).status).toBe(404);
  });

  it('can only be read', async () => {
    expect((await fetch(`${emulator.endpoint}/pages/1`, { method: 'POST', body: 'a' })).status).toBe(501);
    const head = await fetch(`${emulator.endpoint}/pages/1`, { method: 'HEAD' });
    expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
  });
});
