import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strategies } from '../../src/strategies/registry.ts';
import { EmulatedBenches, errorsOf } from '../support/emulated.ts';
import { targetAt, type RunnerBench } from '../support/run-on-runner.ts';

const names = strategies.map(({ declaration: { name } }) => name);
const benches = new EmulatedBenches();
afterAll(() => benches.close());

describe('http against the emulator', () => {
  let bench: RunnerBench;
  beforeAll(async () => {
    bench = await benches.start();
  });

  it.each(names)('%s reads and checks every page, and sees its HTTP exchange', async (strategy) => {
    const record = await bench.run('http', { strategy, tasks: '3' });
    expect(record).toMatchObject({ outcome: 'ok', signing: null, plan: { client: 'got', access: null } });
    for (const [index, task] of record.tasks.entries()) {
      expect(task).toMatchObject({ state: 'ok', attempts: [{ method: 'GET', statusCode: 200 }] });
      expect(task.attempts?.[0]?.url).toMatch(new RegExp(`/pages/${index}$`));
      const body = task.state === 'ok' ? task.output.body : null;
      expect(body).toMatchObject({ bytes: body?.expectedBytes, md5: body?.expectedMd5 });
      expect(body?.bytes).toBeGreaterThan(50_000);
    }
  });

  it('fetches pages again when there are more tasks than URLs, and says so', async () => {
    const record = await bench.run('http', { tasks: '12' });
    expect(record.outcome).toBe('ok');
    expect(record.warnings).toContainEqual({ code: 'urls_reused', message: '12 tasks share 10 pages.' });
    expect(record.tasks[10]?.attempts?.[0]?.url).toBe(record.tasks[0]?.attempts?.[0]?.url);
    const few = await bench.run('http', { tasks: '10' });
    expect(few.warnings.map(({ code }) => code)).not.toContain('urls_reused');
  });
});

describe('what can go wrong with a page', () => {
  it.each(['async', 'threads', 'isolate', 'isolate-subprocess'])(
    '%s: a body cut off, one that is wrong, a reset, a 500, too many requests',
    async (strategy) => {
      const faults =
        'truncate@/pages/0,corrupt@/pages/1,reset@/pages/2,error@/pages/3,throttle@/pages/4,malformed@/pages/5';
      const record = await (await benches.start(faults)).run('http', { strategy, tasks: '7' });
      expect(record.outcome).toBe('tasks_failed');
      expect(errorsOf(record)).toEqual([
        ['body_truncated', null],
        ['wrong_result', null],
        ['connection_failed', 'ECONNRESET'],
        ['upstream_error', '500'],
        ['upstream_error', '429'],
        ['wrong_result', null],
        null,
      ]);
    },
  );

  it('another attempt helps where the first was throttled', async () => {
    const record = await (await benches.start('throttle@*#1')).run('http', { tasks: '2', attempts: '2' });
    expect(record.outcome).toBe('ok');
    expect(record.tasks.map(({ attempts }) => attempts?.map(({ statusCode }) => statusCode))).toEqual([
      [429, 200],
      [429, 200],
    ]);
  });

  it('a page that is not there, or elsewhere, is its status', async () => {
    const { url, close } = await serve((request, response) => {
      response.writeHead(request.url === '/moved' ? 302 : 404, { location: '/' }).end();
    });
    const record = await benchOf([`${url}/missing`, `${url}/moved`]).run('http', { tasks: '2' });
    close();
    expect(errorsOf(record)).toEqual([
      ['upstream_error', '404'],
      ['upstream_error', '302'],
    ]);
  });

  it('any 2xx counts, and what a page says nothing of is not checked', async () => {
    const { url, close } = await serve((_, response) => {
      response.writeHead(203, { etag: 'W/"00000000000000000000000000000000"' });
      response.write('a page of no told length');
      response.end();
    });
    const record = await benchOf([url]).run('http', { tasks: '1' });
    close();
    expect(record).toMatchObject({
      outcome: 'ok',
      tasks: [{ output: { body: { bytes: 24, expectedBytes: null, expectedMd5: null } } }],
    });
  });

  it.each([
    ['got', 'us%3Aer%40a:p%2Fss', 'us:er@a:p/ss'],
    ['undici', 'us%3Aer%40a:p%2Fss', 'us:er@a:p/ss'],
    ['undici', 'user:100%', 'user:100%'],
  ])(
    'a page that asks for a password gets from %s the one of its address: %s',
    async (client, inAddress, asked) => {
      const { url, close } = await serve(({ headers: { authorization } }, response) => {
        const given = Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64').toString();
        response.writeHead(given === asked ? 200 : 401).end('x');
      });
      const page = url.replace('//', `//${inAddress}@`);
      const record = await benchOf([page]).run('http', { tasks: '1', client });
      close();
      expect([record.outcome, record.tasks[0]?.attempts?.[0]?.url]).toEqual(['ok', `${url}/`]);
    },
  );

  it('an address with a password and a signature tells neither', async () => {
    const { url, close } = await serve((_, response) => void response.writeHead(500).end());
    const secret = `${url.replace('//', '//user:pass1word@')}/x?sig=s3cret&a=1`;
    const record = await benchOf([secret]).run('http', { tasks: '1' });
    close();
    expect(errorsOf(record)).toEqual([['upstream_error', '500']]);
    expect(JSON.stringify(record)).not.toMatch(/pass1word|s3cret/);
    expect(JSON.stringify(record)).toContain('a=1');
  });
});

function benchOf(urls: readonly string[]): RunnerBench {
  return benches.at({ ...targetAt(null), http: { urls } });
}

async function serve(
  listener: RequestListener,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
